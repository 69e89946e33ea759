import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { useMay } from '../../api/who.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { Table } from '../../ui/table.tsx'
import { useBulkActs } from './bulk-acts.ts'
import { bulkColumns } from './bulk-columns.tsx'
import { BulkForm } from './bulk-form.tsx'

const everyMs = 1_000

export default function BulkActions() {
  const [isMaking, make] = useState(false)
  const acts = useBulkActs()
  const actions = useInfiniteQuery({
    queryKey: ['bulk-actions'],
    queryFn: ({ pageParam }) => api().bulkActions.page(pageParam),
    initialPageParam: {},
    getNextPageParam: ({ page }) => (page.next === null ? undefined : { cursor: page.next }),
    refetchInterval: everyMs,
  })
  const create = useMay('cancel') && (
    <Button look="primary" icon="plus" onClick={() => make(true)}>
      New bulk action
    </Button>
  )
  return (
    <Page
      title="Bulk actions"
      actions={create}
      lead="Cancel, retry or delete all tasks that a filter finds. They are counted first; what is submitted later is not touched."
    >
      <QueryState query={actions} what="The bulk actions">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data)
          if (rows.length === 0) return <NoActions />
          return (
            <Table label="Bulk actions" rows={rows} columns={bulkColumns(acts)} rowKey={({ id }) => id} />
          )
        }}
      </QueryState>
      {actions.hasNextPage && (
        <div>
          <Button onClick={() => void actions.fetchNextPage()}>Show older ones</Button>
        </div>
      )}
      {isMaking && <BulkForm onClose={() => make(false)} />}
    </Page>
  )
}

function NoActions() {
  const body = '{"action":"retry","filter":{"status":"failed","type":"email.*"}}'
  const lessons = [
    {
      name: 'curl',
      code: `curl -s ${location.origin}/bulk-actions -H 'content-type: application/json' -d '${body}'`,
    },
    {
      name: 'TypeScript',
      code: `const { id } = await millrace.bulkActions.create('retry', { status: 'failed', type: 'email.*' })
await millrace.bulkActions.start(id)`,
    },
  ]
  return (
    <Empty title="No bulk actions yet" lessons={lessons}>
      One works through its tasks in small steps, in the background, and goes on after a restart. It can be
      aborted at any time; what it has done by then stays done.
    </Empty>
  )
}
