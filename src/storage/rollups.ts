import { type Histogram, quantilesOf, sumOf } from '../domain/histogram.ts'
import {
  type History,
  type HistoryPoint,
  type HistoryWish,
  keptMs,
  type RollupStore,
  resolutionOf,
  type Times,
} from '../domain/rollup.ts'
import { texts } from './arrays.ts'
import { readNowMs } from './clock.ts'
import type { Database } from './connection.ts'
import { oldestOfPlace, withWaitingPlaces } from './packets.ts'

/** Roll-ups, bound to a database. */
export function rollupStore(database: Database): RollupStore {
  return {
    addTimes: (times) => addTimes(database, times),
    count: async () => void (await database.run(countHappened)),
    forget: async () => void (await database.run(forget, [keptMs[1], keptMs[15]])),
    read: (wish) => read(database, wish),
  }
}

// In the order of the key, as all who write here do.
const storeTimes = {
  name: 'rollups.add-times',
  text: `
  insert into rollups as r (minutes, at, queue, type, waiting, running)
  select m.minutes, date_bin(m.minutes * interval '1 minute', now(), 'epoch'), t.queue, t.type,
         t.waiting::bigint[], t.running::bigint[]
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as t (queue, type, waiting, running)
   cross join (values (1::smallint), (15::smallint)) as m (minutes)
   order by t.queue, t.type, m.minutes
      on conflict (queue, type, minutes, at) do update
     set waiting = sum_buckets(r.waiting, excluded.waiting), running = sum_buckets(r.running, excluded.running)`,
}

async function addTimes({ run }: Database, times: readonly Times[]): Promise<void> {
  const rows = withTotals(times)
  if (rows.length === 0) return
  await run(storeTimes, [
    texts(rows.map(({ queue }) => queue)),
    texts(rows.map(({ type }) => type)),
    texts(rows.map(({ waiting }) => arrayText(waiting))),
    texts(rows.map(({ running }) => arrayText(running))),
  ])
}

const arrayText = (buckets: Histogram) => `{${buckets.join(',')}}`

/** With the sums of each queue, of each type and of everything. */
function withTotals(times: readonly Times[]): Times[] {
  const sums = new Map<string, Times>()
  for (const { queue, type, waiting, running } of times) {
    for (const [q, t] of [
      [queue, type],
      [queue, ''],
      ['', type],
      ['', ''],
    ] as const) {
      const key = `${q} ${t}`
      const sum = sums.get(key) ?? { queue: q, type: t, waiting: [], running: [] }
      sums.set(key, {
        ...sum,
        waiting: sumOf(sum.waiting, waiting),
        running: sumOf(sum.running, running),
      })
    }
  }
  return [...sums.values()]
}

// Whoever moves the clock writes what has happened since it was moved last. Nothing is told by a count that has shrunk, because
// tasks were retried, or are kept no longer. When this is done for the first time, nobody knows when all that is there came.
const countHappened = {
  name: 'rollups.count',
  text: `${withWaitingPlaces}, before as materialized (
    select written_to from rollup_clock where written_to < now() - interval '9 seconds' for update
  ), turn as materialized (
    update rollup_clock as c set written_to = now() from before as b returning b.written_to = '-infinity' as is_first
  ), oldest as materialized (
    select queue, (extract(epoch from now() - min(oldest.created_at)) * 1000)::bigint as ms
      from place
     ${oldestOfPlace}
     where exists (select from turn)
     group by queue
  ), counted as materialized (
    select c.queue, c.type, sum(n)::bigint as submitted,
           coalesce(sum(n) filter (where status = 'completed'), 0)::bigint as completed,
           coalesce(sum(n) filter (where status = 'failed'), 0)::bigint as failed,
           coalesce(sum(n) filter (where status = 'canceled'), 0)::bigint as canceled,
           coalesce(sum(n) filter (where status = 'pending'), 0)::bigint as pending,
           coalesce(sum(n) filter (where status = 'processing'), 0)::bigint as processing
      from counters as c
     where exists (select from turn)
     group by c.queue, c.type
  ), marked as (
    insert into rollup_marks (queue, type, submitted, completed, failed, canceled)
    select queue, type, submitted, completed, failed, canceled from counted order by queue collate "C", type collate "C"
        on conflict (queue, type) do update
       set submitted = excluded.submitted, completed = excluded.completed, failed = excluded.failed, canceled = excluded.canceled
  ), happened as materialized (
    select coalesce(c.queue, '') as queue, coalesce(c.type, '') as type,
           sum(greatest(0, c.submitted - coalesce(m.submitted, 0))) as submitted,
           sum(greatest(0, c.completed - coalesce(m.completed, 0))) as completed,
           sum(greatest(0, c.failed - coalesce(m.failed, 0))) as failed,
           sum(greatest(0, c.canceled - coalesce(m.canceled, 0))) as canceled,
           sum(c.pending) as pending, sum(c.processing) as processing,
           max(case when c.pending > 0 then coalesce(o.ms, 0) else 0 end) as oldest_ms
      from counted as c
      left join rollup_marks as m on m.queue = c.queue and m.type = c.type
      left join oldest as o on o.queue = c.queue
     group by cube (c.queue, c.type)
  )
  insert into rollups as r (minutes, at, queue, type, submitted, completed, failed, canceled, pending, processing, oldest_pending_ms)
  select s.minutes, date_bin(s.minutes * interval '1 minute', now(), 'epoch'), h.queue, h.type,
         case when is_first then 0 else submitted end, case when is_first then 0 else completed end,
         case when is_first then 0 else failed end, case when is_first then 0 else canceled end,
         pending, processing, oldest_ms
    from happened as h
   cross join turn as t
   cross join (values (1::smallint), (15::smallint)) as s (minutes)
   where h.submitted + h.completed + h.failed + h.canceled + h.pending + h.processing > 0
   order by h.queue collate "C", h.type collate "C", s.minutes
      on conflict (queue, type, minutes, at) do update
     set submitted = r.submitted + excluded.submitted, completed = r.completed + excluded.completed,
         failed = r.failed + excluded.failed, canceled = r.canceled + excluded.canceled,
         pending = excluded.pending, processing = excluded.processing, oldest_pending_ms = excluded.oldest_pending_ms`,
}

const forget = {
  name: 'rollups.forget',
  text: `
  delete from rollups
   where minutes = 1 and at < now() - $1 * interval '1 millisecond'
      or minutes = 15 and at < now() - $2 * interval '1 millisecond'`,
}

const readRange = {
  name: 'rollups.read',
  text: `
  select extract(epoch from at)::float8 * 1000, submitted, completed, failed, canceled, pending, processing,
         oldest_pending_ms, waiting::text, running::text
    from rollups
   where queue = $1
     and type = $2
     and minutes = $3
     and at >= $4
     and at < $5
   order by at`,
}

type Row = [
  atMs: number,
  submitted: number,
  completed: number,
  failed: number,
  canceled: number,
  pending: number,
  processing: number,
  oldestMs: number,
  waiting: string,
  running: string,
]

async function read({ run }: Database, { from, to, queue = '', type = '' }: HistoryWish): Promise<History> {
  const { minutes, step } = resolutionOf(Date.parse(from), Date.parse(to), await readNowMs(run))
  const stepMs = step * 60_000
  const fromMs = Math.floor(Date.parse(from) / stepMs) * stepMs
  const toMs = Math.ceil(Date.parse(to) / stepMs) * stepMs
  const rows = await run<Row>(readRange, [queue, type, minutes, new Date(fromMs), new Date(toMs)])
  const points = Map.groupBy(rows, ([atMs]) => Math.floor((atMs - fromMs) / stepMs))
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    stepMs,
    points: Array.from({ length: (toMs - fromMs) / stepMs }, (_, n) =>
      pointOf(new Date(fromMs + n * stepMs), points.get(n) ?? []),
    ),
  }
}

function pointOf(at: Date, rows: readonly Row[]): HistoryPoint {
  const sum = (column: 1 | 2 | 3 | 4) => rows.reduce((all, row) => all + row[column], 0)
  const [, , , , , pending = 0, processing = 0, oldestMs = 0] = rows.at(-1) ?? []
  return {
    at: at.toISOString(),
    submitted: sum(1),
    completed: sum(2),
    failed: sum(3),
    canceled: sum(4),
    pending,
    processing,
    oldestPendingAgeMs: pending > 0 ? oldestMs : null,
    waitingMs: quantilesOf(rows.reduce<Histogram>((all, row) => sumOf(all, bucketsOf(row[8])), [])),
    runningMs: quantilesOf(rows.reduce<Histogram>((all, row) => sumOf(all, bucketsOf(row[9])), [])),
  }
}

const bucketsOf = (text: string): number[] => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))
