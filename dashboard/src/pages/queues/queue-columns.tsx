import { Link } from '@tanstack/react-router'
import type { Queue, QueueLimits } from '../../../../src/client/index.ts'
import { useMay } from '../../api/who.ts'
import { IconButton } from '../../ui/button.tsx'
import { count, duration, rate } from '../../ui/format.ts'
import { Hidden } from '../../ui/hidden.tsx'
import { Badge } from '../../ui/status.tsx'
import type { Column } from '../../ui/table.tsx'
import { paceColumns } from './pace-columns.tsx'
import styles from './queues.module.css'

type Acts = { toggle: (queue: Queue) => void; limit: (queue: Queue) => void }

export function queueColumns(acts: Acts): readonly Column<Queue>[] {
  return [...columns, { ...actions, cell: (queue) => <RowActions queue={queue} {...acts} /> }]
}

const actions = {
  key: 'actions',
  header: <Hidden>Actions</Hidden>,
  width: '4.5rem',
  align: 'end',
} as const

function RowActions({ queue, toggle, limit }: Acts & { queue: Queue }) {
  const { name, paused } = queue
  if (!useMay('admin')) return null
  return (
    <span className={styles.actions}>
      <IconButton
        label={`${paused ? 'Resume' : 'Pause'} ${name}`}
        icon={paused ? 'play' : 'pause'}
        small
        onClick={() => toggle(queue)}
      />
      <IconButton label={`Limits of ${name}`} icon="limits" small onClick={() => limit(queue)} />
    </span>
  )
}

const columns: readonly Column<Queue>[] = [
  {
    key: 'name',
    header: 'Queue',
    width: 'minmax(7rem, 2fr)',
    cell: ({ name, paused }) => (
      <Badge mark={paused ? 'warn' : 'ok'} text={paused ? `${name} (paused)` : name} />
    ),
  },
  {
    key: 'pending',
    header: 'Pending',
    width: 'minmax(4rem, 0.8fr)',
    align: 'end',
    cell: ({ name, counts }) => (
      <Link to="/tasks" search={{ queue: name, status: 'pending' }} className={styles.number}>
        {count(counts.pending)}
      </Link>
    ),
  },
  {
    key: 'running',
    header: 'Running',
    width: 'minmax(4rem, 0.8fr)',
    align: 'end',
    from: 420,
    cell: ({ name, counts }) => (
      <Link to="/tasks" search={{ queue: name, status: 'processing' }} className={styles.number}>
        {count(counts.processing)}
      </Link>
    ),
  },
  {
    key: 'failed',
    header: 'Failed',
    width: 'minmax(4rem, 0.8fr)',
    align: 'end',
    from: 560,
    cell: ({ name, counts }) => (
      <Link to="/tasks" search={{ queue: name, status: 'failed' }} className={styles.number}>
        {count(counts.failed)}
      </Link>
    ),
  },
  {
    key: 'oldest',
    header: 'Oldest wait',
    width: 'minmax(5.5rem, 0.8fr)',
    align: 'end',
    from: 640,
    cell: ({ oldestPendingAgeMs }) => (oldestPendingAgeMs === null ? '–' : duration(oldestPendingAgeMs)),
  },
  ...paceColumns<Queue>(),
  {
    key: 'workers',
    header: 'Workers',
    width: 'minmax(4rem, 0.7fr)',
    align: 'end',
    from: 860,
    cell: ({ workers, slots }) => <span title={`${count(slots)} slots`}>{count(workers)}</span>,
  },
  {
    key: 'limits',
    header: 'Limits',
    width: 'minmax(8rem, 1.6fr)',
    from: 760,
    cell: (queue) => <span className={styles.limits}>{limitsText(queue) || 'none'}</span>,
  },
]

function limitsText(limits: QueueLimits): string {
  const { concurrency, ratePerSecond, keyConcurrency, keyRatePerSecond } = limits
  const parts = [
    concurrency !== null && `${count(concurrency)} at once`,
    ratePerSecond !== null && rate(ratePerSecond),
    keyConcurrency !== null && `${count(keyConcurrency)} at once a key`,
    keyRatePerSecond !== null && `${rate(keyRatePerSecond)} a key`,
  ]
  return parts.filter(Boolean).join(', ')
}
