import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { FailureGroup, FailureGroupQuery } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { useMay } from '../../api/who.ts'
import { useStats } from '../../live/live.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { useHotkeys } from '../../ui/hotkeys.ts'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { Table } from '../../ui/table.tsx'
import { BulkDialog, type BulkWish } from '../tasks/bulk/bulk-dialog.tsx'
import { errorColumns } from './error-columns.tsx'
import styles from './errors.module.css'

const everyMs = 5_000
const pageSize = 50
const rowHeightPx = 64

export default function Errors() {
  const search: FailureGroupQuery = useSearch({ strict: false })
  const { order = 'latest', type, queue } = search
  const [wish, setWish] = useState<BulkWish>()
  const navigate = useNavigate()
  const mayRetry = useMay('cancel')
  const groups = useInfiniteQuery({
    queryKey: ['errors', order, type, queue],
    queryFn: ({ pageParam }) =>
      api().errors({ limit: pageSize, order, ...(type && { type }), ...(queue && { queue }), ...pageParam }),
    initialPageParam: {},
    getNextPageParam: ({ page }) => (page.next === null ? undefined : { cursor: page.next }),
    refetchInterval: everyMs,
  })
  const filterOf = ({ fingerprint }: FailureGroup) => ({
    status: 'failed' as const,
    fingerprint,
    ...(type && { type }),
    ...(queue && { queue }),
  })
  const retry = (group: FailureGroup) =>
    setWish({ action: 'retry', filter: filterOf(group), which: `all “${group.name}” like this` })
  const openAll = (group: FailureGroup) => void navigate({ to: '/tasks', search: filterOf(group) })
  return (
    <Page
      title="Errors"
      lead="Failed tasks, those that failed alike together: by the error's name, its message without what varies, and where it was thrown."
      actions={<Choices search={search} />}
    >
      <QueryState query={groups} what="The errors">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data)
          if (rows.length === 0) return <NoErrors isFiltered={type !== undefined || queue !== undefined} />
          return (
            <Table
              label="Errors"
              rows={rows}
              columns={errorColumns({ retry: mayRetry ? retry : undefined })}
              rowKey={({ fingerprint }) => fingerprint}
              rowHeightPx={rowHeightPx}
              onOpen={openAll}
              onRowKey={(group, { key }) => {
                if (key === 'r' && mayRetry) retry(group)
                if (key === 's') void navigate({ to: '/tasks/$id', params: { id: group.sampleTaskId } })
              }}
            />
          )
        }}
      </QueryState>
      {groups.hasNextPage && (
        <div>
          <Button disabled={groups.isFetchingNextPage} onClick={() => void groups.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
      <BulkDialog
        wish={wish}
        onClose={() => {
          setWish(undefined)
          void groups.refetch()
        }}
      />
    </Page>
  )
}

/** In which order, and of which type: both are in the address. */
function Choices({ search }: { search: FailureGroupQuery }) {
  const navigate = useNavigate()
  const { order = 'latest', type = '', queue } = search
  const types = useStats()?.types.filter(({ counts }) => counts.failed > 0) ?? []
  const names = [...new Set([...types.map((one) => one.type), ...(type ? [type] : [])])]
  const go = (next: { order?: string; type?: string }) =>
    void navigate({
      to: '/errors',
      search: { ...(queue && { queue }), order, type, ...next } as Record<string, string>,
    })
  useToList()
  return (
    <>
      <select
        aria-label="Type"
        className={styles.select}
        value={type}
        onChange={({ target }) => go({ type: target.value })}
      >
        <option value="">All types</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Order"
        className={styles.select}
        value={order}
        onChange={({ target }) => go({ order: target.value })}
      >
        <option value="latest">Latest first</option>
        <option value="most">Most first</option>
      </select>
    </>
  )
}

function useToList(): void {
  const run = () => document.querySelector<HTMLElement>('#main [role=row][tabindex="0"]')?.focus()
  useHotkeys([
    { keys: 'j', label: 'To the list', group: 'Errors', run },
    { keys: 'ArrowDown', label: 'To the list', group: 'Errors', run },
  ])
}

function NoErrors({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty title="Nothing of this has failed">
        Tasks of other types or queues may have: choose <b>All types</b>.
      </Empty>
    )
  const lessons = [
    { name: 'CLI', code: 'npx millrace errors' },
    { name: 'curl', code: `curl -s ${location.origin}/errors` },
    { name: 'TypeScript', code: `const { data } = await millrace.errors({ order: 'most' })` },
    {
      name: 'Handler',
      code: `throw new NonRetryableError('no such mailbox')  // fails at once\nthrow new Error('timed out')                     // is tried again, maxAttempts times in all`,
    },
  ]
  return (
    <Empty title="Nothing has failed" lessons={lessons}>
      When a task has failed for good, its error is here, together with those like it: how many, since when,
      and a button that retries them all.
    </Empty>
  )
}
