import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Queue } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { useMay } from '../../api/who.ts'
import { Empty } from '../../ui/empty.tsx'
import { ExamplesButton } from '../../ui/examples-button.tsx'
import { submissionLessons } from '../../ui/lessons.ts'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { Table } from '../../ui/table.tsx'
import { LimitsForm } from './limits-form.tsx'
import { useQueueActions } from './queue-actions.ts'
import { queueColumns } from './queue-columns.tsx'

const everyMs = 2_000

export default function Queues() {
  const [limited, limit] = useState<Queue>()
  const mayChange = useMay('admin')
  const { toggle } = useQueueActions()
  const queues = useQuery({
    queryKey: ['queues'],
    queryFn: () => api().queues(),
    refetchInterval: everyMs,
  })
  return (
    <Page
      title="Queues"
      lead="Where tasks wait. A paused queue takes tasks and starts none; limits hold over all workers."
    >
      <QueryState query={queues} what="The queues">
        {(rows) =>
          rows.length === 0 ? (
            <NoQueues />
          ) : (
            <Table
              label="Queues"
              rows={rows}
              columns={queueColumns({ toggle, limit })}
              rowKey={({ name }) => name}
              {...(mayChange ? { onOpen: limit } : {})}
            />
          )
        }
      </QueryState>
      {limited && <LimitsForm queue={limited} onClose={() => limit(undefined)} />}
    </Page>
  )
}

function NoQueues() {
  return (
    <Empty title="No queues yet" lessons={submissionLessons()} actions={<ExamplesButton />}>
      A queue is there as soon as a task or a worker names it. Tasks that name none go to the queue “default”.
    </Empty>
  )
}
