import type { Counts, Snapshot, Stats } from '../domain/stats.ts'
import { type Status, statuses } from '../domain/task.ts'
import type { Database } from './connection.ts'
import { type Pace, pacesOf } from './pace.ts'
import { oldestOfPlace, withWaitingPlaces } from './packets.ts'
import { oldestParked } from './queues.ts'

const readCounts = {
  name: 'counters.read',
  text: 'select queue, type, status, sum(n) from counters group by queue, type, status having sum(n) <> 0',
}

// The oldest waiting packet of each place, found by the index: as fast with a million waiting as with one.
const readOldest = {
  name: 'packets.oldest',
  text: `${withWaitingPlaces}
  select queue, extract(epoch from now() - min(oldest.created_at))::float8 * 1000
    from place
   ${oldestOfPlace}
   group by queue`,
}

const readWorkers = { name: 'workers.capacity', text: 'select queues, types, concurrency from workers' }

const readRates = {
  name: 'samples.rates',
  text: `
  select extract(epoch from least(now() - at, interval '60 seconds'))::float8 * 1000, submitted, completed, failed, canceled
    from ((select * from samples where at <= now() - interval '60 seconds' order by at desc limit 1)
          union all
          (select * from samples where at > now() - interval '60 seconds' order by at limit 1)) as baseline
   order by at
   limit 1`,
}

const readNewest = { name: 'tasks.newest', text: 'select id from tasks order by id desc limit 1' }

type CountRow = [queue: string, type: string, status: Status, n: string]
type WorkerRow = [queues: string[], types: string[], concurrency: number]
type RateRow = [windowMs: number, submitted: number, completed: number, failed: number, canceled: number]

/** Sums of a few rows, whatever the number of tasks. */
export async function readStats({ run }: Database): Promise<Stats> {
  const counts = await run<CountRow>(readCounts)
  const oldest = later(await run<[string, number]>(readOldest), await oldestParked(run))
  const workers = await run<WorkerRow>(readWorkers)
  const [baseline] = await run<RateRow>(readRates)
  const paces = await pacesOf(run, null)
  const total = sum(counts)
  const types = typeStats(counts, workers)
  return {
    total: statuses.reduce((all, status) => all + total[status], 0),
    counts: total,
    queues: queueStats({ counts, oldest, workers, paces }),
    types,
    unserved: types.filter((type) => !type.served && waiting(type.counts) > 0).map(({ type }) => type),
    rates: ratesOf(total, baseline),
    oldestPendingAgeMs: oldest.size > 0 ? Math.max(...oldest.values()) : null,
  }
}

/** The greater age where a queue has both. */
function later(...lists: (readonly [queue: string, ageMs: number])[][]): Map<string, number> {
  const ages = new Map<string, number>()
  for (const [queue, ageMs] of lists.flat()) ages.set(queue, Math.max(ageMs, ages.get(queue) ?? 0))
  return ages
}

export async function readSnapshot(database: Database): Promise<Snapshot> {
  const [newest] = await database.run<[string]>(readNewest)
  return { ...(await readStats(database)), newestTaskId: newest?.[0] ?? null }
}

function sum(rows: readonly CountRow[]): Counts {
  const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as Counts
  for (const [, , status, n] of rows) counts[status] += Number(n)
  return counts
}

type Seen = {
  counts: readonly CountRow[]
  oldest: Map<string, number>
  workers: readonly WorkerRow[]
  paces: Map<string, Pace>
}

const standing: Pace = { submittedPerSecond: 0, endedPerSecond: 0 }

function queueStats({ counts: rows, oldest, workers, paces }: Seen) {
  const names = new Set([...rows.map(([queue]) => queue), ...workers.flatMap(([queues]) => queues)])
  return [...names].sort().map((queue) => {
    const serving = workers.filter(([queues]) => queues.includes(queue))
    const counts = sum(rows.filter((row) => row[0] === queue))
    const pace = paces.get(queue) ?? standing
    return {
      queue,
      counts,
      oldestPendingAgeMs: oldest.get(queue) ?? null,
      workers: serving.length,
      slots: serving.reduce((slots, [, , concurrency]) => slots + concurrency, 0),
      submittedPerSecond: hundredths(pace.submittedPerSecond),
      endedPerSecond: hundredths(pace.endedPerSecond),
      drainsInMs: drainsInMs(counts.pending, pace),
    }
  })
}

function drainsInMs(pending: number, { submittedPerSecond, endedPerSecond }: Pace): number | null {
  const lessPerSecond = endedPerSecond - submittedPerSecond
  return pending > 0 && lessPerSecond > 0 ? Math.round((pending / lessPerSecond) * 1000) : null
}

const hundredths = (n: number) => Math.round(n * 100) / 100

/** A type is served where a live worker that has a handler for it consumes every queue in which it waits. */
function typeStats(rows: readonly CountRow[], workers: readonly WorkerRow[]) {
  const names = new Set([...rows.map(([, type]) => type), ...workers.flatMap(([, types]) => types)])
  return [...names].sort().map((type) => {
    const own = rows.filter((row) => row[1] === type)
    const queues = own.filter((row) => waiting(sum([row])) > 0).map(([queue]) => queue)
    const handlers = workers.filter(([, types]) => types.includes(type))
    const reachable = queues.every((queue) => handlers.some(([served]) => served.includes(queue)))
    return { type, counts: sum(own), served: handlers.length > 0 && reachable }
  })
}

function waiting(counts: Counts): number {
  return counts.scheduled + counts.pending
}

function ratesOf(now: Counts, baseline: RateRow | undefined): Stats['rates'] {
  const [windowMs, submitted, completed, failed, canceled] = baseline ?? [0, 0, 0, 0, 0]
  const total = statuses.reduce((all, status) => all + now[status], 0)
  const perSecond = (n: number, before: number) =>
    windowMs > 0 ? Math.round((Math.max(0, n - before) / windowMs) * 1e5) / 100 : 0
  return {
    windowMs: Math.round(windowMs),
    submittedPerSecond: perSecond(total, submitted),
    completedPerSecond: perSecond(now.completed, completed),
    failedPerSecond: perSecond(now.failed, failed),
    canceledPerSecond: perSecond(now.canceled, canceled),
  }
}
