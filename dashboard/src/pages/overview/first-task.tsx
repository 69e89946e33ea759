import { Empty } from '../../ui/empty.tsx'
import { ExamplesButton } from '../../ui/examples-button.tsx'
import { submissionLessons } from '../../ui/lessons.ts'

/** What a new system shows first: how a task comes into it. */
export function FirstTask() {
  return (
    <Empty title="No tasks yet" lessons={submissionLessons()} actions={<ExamplesButton />}>
      A task is a type, which chooses the handler that does the work, and a payload. Submit one in any of
      these ways, or let the page submit a thousand of the example task, which waits for three seconds and
      returns the length of its payload.
    </Empty>
  )
}
