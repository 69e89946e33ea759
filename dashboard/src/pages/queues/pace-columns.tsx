import type { QueueStats } from '../../../../src/client/index.ts'
import { duration, rate } from '../../ui/format.ts'
import type { Column } from '../../ui/table.tsx'

/** How fast a queue moves, and how long until nothing waits in it. */
export function paceColumns<Row extends QueueStats>(): Column<Row>[] {
  return [
    {
      key: 'in',
      header: 'In',
      width: 'minmax(4rem, 1fr)',
      align: 'end',
      from: 1_240,
      cell: ({ submittedPerSecond }) => perSecond(submittedPerSecond),
    },
    {
      key: 'out',
      header: 'Out',
      width: 'minmax(4rem, 1fr)',
      align: 'end',
      from: 1_180,
      cell: ({ endedPerSecond }) => perSecond(endedPerSecond),
    },
    {
      key: 'drained',
      header: 'Empty in',
      width: 'minmax(5rem, 1fr)',
      align: 'end',
      from: 920,
      cell: ({ drainsInMs }) => (drainsInMs === null ? '–' : duration(drainsInMs)),
    },
  ]
}

const perSecond = (n: number) => (n === 0 ? '–' : rate(n))
