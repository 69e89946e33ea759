import { useStats } from '../../live/live.ts'
import { Empty } from '../../ui/empty.tsx'
import { ExamplesButton } from '../../ui/examples-button.tsx'
import { submissionLessons } from '../../ui/lessons.ts'
import { Page } from '../../ui/page.tsx'
import { QueueTable } from './queue-table.tsx'

export default function Queues() {
  const queues = useStats()?.queues
  return (
    <Page title="Queues" lead="Where tasks wait, each with the workers that take from it.">
      {queues?.length === 0 && (
        <Empty title="No queues yet" lessons={submissionLessons()} actions={<ExamplesButton />}>
          A queue is there as soon as a task was submitted to it. Those that name none go to the queue
          “default”.
        </Empty>
      )}
      {queues && queues.length > 0 && <QueueTable queues={queues} />}
    </Page>
  )
}
