import { Link } from '@tanstack/react-router'
import type { Stats } from '../../../../src/client/index.ts'
import { count, duration } from '../../ui/format.ts'
import { type Column, Table } from '../../ui/table.tsx'
import { paceColumns } from './pace-columns.tsx'

type Queue = Stats['queues'][number]

/** Queues with what waits and runs in them. */
export function QueueTable({ queues }: { queues: readonly Queue[] }) {
  return <Table label="Queues" rows={queues} columns={columns} rowKey={({ queue }) => queue} />
}

const columns: readonly Column<Queue>[] = [
  {
    key: 'queue',
    header: 'Queue',
    width: 'minmax(7rem, 2fr)',
    cell: ({ queue }) => (
      <Link to="/tasks" search={{ queue }}>
        {queue}
      </Link>
    ),
  },
  {
    key: 'pending',
    header: 'Pending',
    width: 'minmax(4rem, 1fr)',
    align: 'end',
    cell: ({ counts }) => count(counts.pending),
  },
  {
    key: 'running',
    header: 'Running',
    width: 'minmax(4rem, 1fr)',
    align: 'end',
    from: 340,
    cell: ({ counts }) => count(counts.processing),
  },
  {
    key: 'later',
    header: 'Scheduled',
    width: 'minmax(5rem, 1fr)',
    align: 'end',
    from: 560,
    cell: ({ counts }) => count(counts.scheduled),
  },
  {
    key: 'failed',
    header: 'Failed',
    width: 'minmax(4rem, 1fr)',
    align: 'end',
    from: 480,
    cell: ({ counts }) => count(counts.failed),
  },
  {
    key: 'oldest',
    header: 'Oldest wait',
    width: 'minmax(6rem, 1fr)',
    align: 'end',
    from: 680,
    cell: ({ oldestPendingAgeMs }) => (oldestPendingAgeMs === null ? '–' : duration(oldestPendingAgeMs)),
  },
  ...paceColumns<Queue>(),
  {
    key: 'workers',
    header: 'Workers',
    width: 'minmax(4rem, 1fr)',
    align: 'end',
    from: 760,
    cell: ({ workers }) => count(workers),
  },
  {
    key: 'slots',
    header: 'Slots',
    width: 'minmax(4rem, 1fr)',
    align: 'end',
    from: 820,
    cell: ({ slots }) => count(slots),
  },
]
