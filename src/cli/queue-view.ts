import { short } from './amounts.ts'
import type { Column, Row } from './table.ts'
import { grouped } from './words.ts'

const countOf = ({ counts }: Row, status: string): string =>
  grouped(Number((counts as Record<string, number> | undefined)?.[status] ?? 0))

const numberOr = (value: unknown, unit = '') => (typeof value === 'number' ? `${value}${unit}` : '-')

/** The limits in few characters: how many at once, and how many a second. */
const limitsOf = (atOnce: unknown, perSecond: unknown): string =>
  [numberOr(atOnce), numberOr(perSecond, '/s')].filter((limit) => limit !== '-').join(' ')

/** Queues in a table of 80 columns and more. */
export const queueColumns: readonly Column[] = [
  { title: 'QUEUE', of: ({ name }) => name },
  { title: 'PENDING', width: 9, align: 'right', of: (row) => countOf(row, 'pending') },
  { title: 'RUNNING', width: 7, align: 'right', of: (row) => countOf(row, 'processing') },
  {
    title: 'OLDEST',
    width: 6,
    align: 'right',
    of: ({ oldestPendingAgeMs }) =>
      typeof oldestPendingAgeMs === 'number' ? short(oldestPendingAgeMs) : '-',
  },
  { title: 'STATE', width: 6, of: ({ paused }) => (paused ? 'paused' : 'open') },
  {
    title: 'LIMITS',
    width: 11,
    of: ({ concurrency, ratePerSecond }) => limitsOf(concurrency, ratePerSecond),
  },
  {
    title: 'EACH KEY',
    width: 11,
    of: ({ keyConcurrency, keyRatePerSecond }) => limitsOf(keyConcurrency, keyRatePerSecond),
  },
]
