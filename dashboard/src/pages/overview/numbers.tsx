import type { History } from '../../../../src/client/index.ts'
import { useStats } from '../../live/live.ts'
import { compact, duration, rateNumber } from '../../ui/format.ts'
import { Tile, Tiles } from '../../ui/tile.tsx'
import { type Point, useHistory } from './history.ts'

/** With the step that has just begun, too. */
const whole = (history: History) => history

/** How things stand, each with how they have been in the last hour. */
export function Numbers() {
  const stats = useStats()
  const { data } = useHistory({ range: '1h' })
  const trend = (of: (point: Point) => number) => data?.points.map(of)
  const failed = useHistory({ range: '1h' }, whole).data?.points.reduce((sum, point) => sum + point.failed, 0)
  const oldest = stats?.oldestPendingAgeMs
  return (
    <Tiles>
      <Tile
        label="Pending"
        value={shown(stats?.counts.pending)}
        trend={trend(({ pending }) => pending)}
        to="/tasks"
        search={{ status: 'pending' }}
      />
      <Tile
        label="Running"
        value={shown(stats?.counts.processing)}
        trend={trend(({ processing }) => processing)}
        to="/tasks"
        search={{ status: 'processing' }}
      />
      <Tile
        label="Failed in the last hour"
        value={shown(failed)}
        trend={trend((point) => point.failed)}
        tone={failed ? 'bad' : undefined}
        to="/tasks"
        search={{ status: 'failed', age: '<1h' }}
      />
      <Tile
        label="Oldest wait"
        value={oldest == null ? '–' : duration(oldest)}
        trend={trend(({ oldestPendingAgeMs }) => oldestPendingAgeMs ?? 0)}
        to="/tasks"
        search={{ status: 'pending' }}
      />
      <Tile
        label="Completed"
        value={stats ? rateNumber(stats.rates.completedPerSecond) : '–'}
        unit="per second"
        trend={trend(({ completed }) => completed)}
        to="/tasks"
        search={{ status: 'completed' }}
      />
    </Tiles>
  )
}

function shown(n: number | undefined): string {
  return n === undefined ? '–' : compact(n)
}
