import { useStats } from '../../live/live.ts'
import { compact, duration, rateNumber } from '../../ui/format.ts'
import { Page, Section } from '../../ui/page.tsx'
import { Tile, Tiles } from '../../ui/tile.tsx'
import { QueueTable } from '../queues/queue-table.tsx'
import { FirstTask } from './first-task.tsx'

export default function Overview() {
  const stats = useStats()
  return (
    <Page title="Overview">
      {stats?.total === 0 && <FirstTask />}
      <Numbers />
      {stats && stats.queues.length > 0 && (
        <Section title="Queues">
          <QueueTable queues={stats.queues} />
        </Section>
      )}
    </Page>
  )
}

function Numbers() {
  const stats = useStats()
  const shown = (n: number | undefined) => (n === undefined ? '–' : compact(n))
  const oldest = stats?.oldestPendingAgeMs
  return (
    <Tiles>
      <Tile label="Pending" value={shown(stats?.counts.pending)} to="/tasks" search={{ status: 'pending' }} />
      <Tile
        label="Running"
        value={shown(stats?.counts.processing)}
        to="/tasks"
        search={{ status: 'processing' }}
      />
      <Tile label="Failed" value={shown(stats?.counts.failed)} to="/tasks" search={{ status: 'failed' }} />
      <Tile
        label="Oldest wait"
        value={oldest == null ? '–' : duration(oldest)}
        to="/tasks"
        search={{ status: 'pending' }}
      />
      <Tile
        label="Completed"
        value={stats ? rateNumber(stats.rates.completedPerSecond) : '–'}
        unit="per second"
        to="/tasks"
        search={{ status: 'completed' }}
      />
    </Tiles>
  )
}
