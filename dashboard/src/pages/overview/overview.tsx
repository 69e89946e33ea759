import { useStats } from '../../live/live.ts'
import { Page, Section } from '../../ui/page.tsx'
import { QueueTable } from '../queues/queue-table.tsx'
import { FirstTask } from './first-task.tsx'
import { Numbers } from './numbers.tsx'
import { TopErrors } from './top-errors.tsx'
import { Trends } from './trends.tsx'
import { Warnings } from './warnings.tsx'

export default function Overview() {
  const stats = useStats()
  return (
    <Page title="Overview">
      {stats?.total === 0 && <FirstTask />}
      {stats && <Warnings stats={stats} />}
      <Numbers />
      <Trends />
      {stats && stats.queues.length > 0 && (
        <Section title="Queues">
          <QueueTable queues={stats.queues} />
        </Section>
      )}
      <TopErrors />
    </Page>
  )
}
