import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { Page } from '../../ui/page.tsx'
import { QueryState } from '../../ui/query-state.tsx'
import { readTask } from '../task/use-task.ts'
import { draftOfTask } from './draft.ts'
import { remembered } from './memory.ts'
import { TaskForm } from './task-form.tsx'

export default function NewTask() {
  const { from, type }: Record<string, string | undefined> = useSearch({ strict: false })
  return from === undefined ? <Fresh type={type} /> : <Again key={from} id={from} />
}

function Fresh({ type }: { type: string | undefined }) {
  const { draft, payloads } = remembered()
  const chosen = type === undefined ? draft : { ...draft, type, payload: payloads[type] ?? draft.payload }
  return (
    <Page title="New task">
      <TaskForm start={chosen} />
    </Page>
  )
}

/** Another task like one that is there. */
function Again({ id }: { id: string }) {
  const task = useQuery({
    queryKey: ['task', id, 'again'],
    queryFn: () => readTask(id),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <Page
      title="Edit and submit again"
      lead={
        <>
          A task keeps the payload that it was submitted with. This submits another one, and leaves{' '}
          <code>{id}</code> as it is.
        </>
      }
    >
      <QueryState query={task} what="The task">
        {(data) => <TaskForm start={draftOfTask(data.task, data.payloadText)} />}
      </QueryState>
    </Page>
  )
}
