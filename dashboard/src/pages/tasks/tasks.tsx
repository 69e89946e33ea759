import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import type { TaskFilter, TaskSummary } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { Empty } from '../../ui/empty.tsx'
import { ExamplesButton } from '../../ui/examples-button.tsx'
import { submissionLessons } from '../../ui/lessons.ts'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { StatusBadge } from '../../ui/status.tsx'
import { type Column, Table } from '../../ui/table.tsx'
import { Ago } from '../../ui/time.tsx'

const everyMs = 3_000

export default function Tasks() {
  const filter: TaskFilter = useSearch({ strict: false })
  const tasks = useQuery({
    queryKey: ['tasks', filter],
    queryFn: () => api().page({ limit: 200, ...filter }),
    refetchInterval: everyMs,
  })
  return (
    <Page title="Tasks">
      <QueryState query={tasks} what="The tasks">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No tasks here" lessons={submissionLessons()} actions={<ExamplesButton />}>
              None is like that.
            </Empty>
          ) : (
            <Table label="Tasks" rows={data} columns={columns} rowKey={({ id }) => id} />
          )
        }
      </QueryState>
    </Page>
  )
}

const columns: readonly Column<TaskSummary>[] = [
  { key: 'status', header: 'Status', width: '7rem', cell: ({ status }) => <StatusBadge status={status} /> },
  { key: 'type', header: 'Type', width: 'minmax(6rem, 1fr)', cell: ({ type }) => type },
  { key: 'queue', header: 'Queue', width: 'minmax(6rem, 1fr)', from: 640, cell: ({ queue }) => queue },
  { key: 'id', header: 'Id', width: '19rem', from: 900, cell: ({ id }) => <code>{id}</code> },
  {
    key: 'created',
    header: 'Created',
    width: '7rem',
    align: 'end',
    cell: ({ createdAt }) => <Ago at={createdAt} />,
  },
]
