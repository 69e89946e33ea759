import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api } from '../../api/client.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { ExamplesButton } from '../../ui/examples-button.tsx'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { Table } from '../../ui/table.tsx'
import { useBatchActions } from './batch-actions.ts'
import { batchColumns } from './batch-columns.tsx'

const everyMs = 2_000
const pageSize = 50

export default function Batches() {
  const navigate = useNavigate()
  const acts = useBatchActions()
  const batches = useInfiniteQuery({
    queryKey: ['batches'],
    queryFn: ({ pageParam }) => api().batches({ limit: pageSize, ...pageParam }),
    initialPageParam: {},
    getNextPageParam: ({ page }) => (page.next === null ? undefined : { cursor: page.next }),
    refetchInterval: everyMs,
  })
  return (
    <Page title="Batches" lead="Tasks that were submitted together, with how far they are. Newest first.">
      <QueryState query={batches} what="The batches">
        {({ pages }) => {
          const rows = pages.flatMap(({ data }) => data)
          if (rows.length === 0) return <NoBatches />
          return (
            <Table
              label="Batches"
              rows={rows}
              columns={batchColumns(acts)}
              rowKey={({ id }) => id}
              onOpen={({ id }) => void navigate({ to: '/tasks', search: { batchId: id } })}
            />
          )
        }}
      </QueryState>
      {batches.hasNextPage && (
        <div>
          <Button disabled={batches.isFetchingNextPage} onClick={() => void batches.fetchNextPage()}>
            Show older ones
          </Button>
        </div>
      )}
    </Page>
  )
}

function NoBatches() {
  const lessons = [
    {
      name: 'curl',
      code: `curl -s ${location.origin}/tasks/batch -H 'content-type: application/json' \\\n  -d '{"tasks":[{"payload":"a"},{"payload":"b"}]}'`,
    },
    { name: 'CLI', code: 'npx millrace submit --file tasks.ndjson' },
    { name: 'TypeScript', code: `await millrace.submitBatch([{ payload: 'a' }, { payload: 'b' }])` },
  ]
  return (
    <Empty title="No batches yet" lessons={lessons} actions={<ExamplesButton />}>
      Up to 10,000 tasks are submitted at once, all or none, and any number as lines of a file. How far a
      batch is stays exact and is told at once, whatever its size.
    </Empty>
  )
}
