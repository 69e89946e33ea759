import { Link } from '@tanstack/react-router'
import { useStats } from '../../live/live.ts'
import { Button, buttonClass } from '../../ui/button.tsx'
import { Empty } from '../../ui/empty.tsx'
import { ExamplesButton } from '../../ui/examples-button.tsx'
import { submissionLessons } from '../../ui/lessons.ts'
import { QueryFailure } from '../../ui/query-state.tsx'
import { shellWord } from '../task/shell-text.ts'
import type { Filter } from './filter/fields.ts'
import { flagsOf, textOf } from './filter/tokens.ts'

/** Why there is no list, or none that is new. Shows nothing while it is still being read. */
export function ListFailure({ error, retry }: { error: Error | undefined; retry: () => void }) {
  return error ? <QueryFailure what="The tasks" error={error} retry={retry} /> : null
}

type NoTasksProps = { filter: Filter; at: string | undefined; older: string | null; look: () => void }

/** Where no task is shown: there is none at all, none like that, or none found yet. */
export function NoTasks({ filter, at, older, look }: NoTasksProps) {
  const total = useStats()?.total
  const text = textOf(filter)
  if (older !== null)
    return (
      <Empty title="None found yet" actions={<Button onClick={look}>Look further back</Button>}>
        The search for <code>{text}</code> ended before it had looked at every task.
      </Empty>
    )
  if (at !== undefined && total !== 0)
    return (
      <Empty title="None from then or before">
        What was created later is above: choose <b>Show newer ones</b>.
      </Empty>
    )
  if (total === 0 || text === '')
    return (
      <Empty title="No tasks yet" lessons={submissionLessons()} actions={<ExamplesButton />}>
        Each task that is submitted is here, from the newest to the oldest, as long as it is kept. Submit one:
      </Empty>
    )
  const lessons = [
    { name: 'CLI', code: `npx millrace list ${flagsOf(filter, shellWord)}` },
    { name: 'curl', code: `curl -s ${shellWord(`${location.origin}/tasks?${new URLSearchParams(filter)}`)}` },
    { name: 'TypeScript', code: `await millrace.page(${JSON.stringify(filter, null, 2)})` },
  ]
  return (
    <Empty
      title="No task is like that"
      lessons={lessons}
      actions={
        <Link to="/tasks" search={{}} className={buttonClass()}>
          Show all tasks
        </Link>
      }
    >
      Nothing matches <code>{text}</code>. Every word of the filter is a parameter of the API and a flag of
      the command line too:
    </Empty>
  )
}
