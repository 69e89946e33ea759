import type { Counts, Stats, WorkerInfo } from '../client/index.ts'
import { age, short } from './amounts.ts'
import { type Column, type Row, tableOf } from './table.ts'
import { grouped, printable } from './words.ts'

/** What is seen at one moment; `problem` when there is nothing newer to see. */
export type Look = { stats: Stats; workers: readonly WorkerInfo[]; at: Date; problem?: string }
export type Screen = { columns: number; rows: number }

/** The lines of one picture, none longer than the screen is wide and no more than it has rows. */
export function topFrame(look: Look, { columns, rows }: Screen): string[] {
  const { stats, workers } = look
  const head = [...headLines(look), '']
  const queues = tableLines(queueColumns, stats.queues.map(queueRow), columns)
  const people = tableLines(workerColumns, workers.map(workerRow), columns)
  const room = Math.max(0, rows - head.length - 1)
  const forQueues = Math.max(Math.ceil(room / 2), room - people.length)
  const lines = [...head, ...cut(queues, forQueues, 'queues'), '']
  return [...lines, ...cut(people, rows - lines.length, 'workers')]
    .slice(0, rows)
    .map((line) => line.slice(0, columns))
}

function headLines({ stats, workers, at, problem }: Look): string[] {
  const { rates, counts, oldestPendingAgeMs } = stats
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0)
  const oldest = oldestPendingAgeMs === null ? '' : `, the oldest for ${short(oldestPendingAgeMs)}`
  const second = (n: number) => `${grouped(n)}/s`
  return [
    `Millrace ${at.toISOString().slice(11, 19)} UTC${problem === undefined ? '' : `  ${printable(problem)}`}`,
    `in    ${second(rates.submittedPerSecond)}   done  ${second(rates.completedPerSecond)}   ` +
      `failed  ${second(rates.failedPerSecond)}   canceled  ${second(rates.canceledPerSecond)}`,
    `busy  ${grouped(counts.processing)} of ${grouped(slots)} slots of ${grouped(workers.length)} workers`,
    `wait  ${grouped(counts.pending)} pending${oldest}; ${grouped(counts.scheduled)} for later`,
    `ended ${grouped(counts.completed)} completed, ${grouped(counts.failed)} failed, ${grouped(counts.canceled)} canceled`,
    ...(stats.unserved.length > 0 ? [`No worker serves: ${printable(stats.unserved.join(', '))}`] : []),
  ]
}

const number = (title: string, width: number, of: Column['of']): Column => ({
  title,
  width,
  align: 'right',
  of,
})

const queueColumns: readonly Column[] = [
  { title: 'QUEUE', of: ({ queue }) => queue },
  number('PENDING', 9, ({ pending }) => pending),
  number('RUNNING', 7, ({ processing }) => processing),
  number('SLOTS', 6, ({ slots }) => slots),
  number('LATER', 7, ({ scheduled }) => scheduled),
  number('FAILED', 7, ({ failed }) => failed),
  number('OLDEST', 6, ({ oldest }) => oldest),
]

/** Fits 80 columns with counts up to 9,999,999; larger ones in thousands, millions, billions. */
function queueRow({ queue, counts, slots, oldestPendingAgeMs }: Stats['queues'][number]): Row {
  const shown = Object.fromEntries(Object.entries(counts).map(([status, n]) => [status, compact(n)]))
  const oldest = oldestPendingAgeMs === null ? '-' : short(oldestPendingAgeMs)
  return { queue, slots: compact(slots), oldest, ...shown } satisfies Row &
    Partial<Record<keyof Counts, string>>
}

const workerColumns: readonly Column[] = [
  { title: 'WORKER', of: ({ host, pid }) => `${host}:${pid}` },
  { title: 'QUEUES', of: ({ queues }) => queues },
  number('BUSY', 13, ({ busy }) => busy),
  number('UP', 4, ({ startedAt }) => age(startedAt)),
  number('SEEN', 4, ({ lastSeenAt }) => age(lastSeenAt)),
]

function workerRow({ queues, running, concurrency, ...worker }: WorkerInfo): Row {
  return { ...worker, queues: queues.join(','), busy: `${compact(running)}/${compact(concurrency)}` }
}

function tableLines(columns: readonly Column[], rows: readonly Row[], width: number): string[] {
  const table = tableOf(columns, width)
  return [table.head(), ...(rows.length === 0 ? ['none'] : rows.map(table.row))]
}

function cut(lines: readonly string[], most: number, what: string): string[] {
  if (lines.length <= most) return [...lines]
  const shown = Math.max(0, most - 1)
  return [...lines.slice(0, shown), `and ${lines.length - shown} more ${what}`].slice(0, Math.max(0, most))
}

/** At most five characters. */
export function compact(n: number): string {
  const units = ['', 'k', 'M', 'G', 'T']
  if (n < 100_000) return String(n)
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(n) / 3))
  const scaled = n / 1000 ** unit
  return `${scaled < 10 ? scaled.toFixed(1) : Math.floor(scaled)}${units[unit]}`
}
