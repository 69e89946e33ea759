import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { nearestRank } from '../src/cli/summary.ts'
import type { Effort, Entry } from './contestant.ts'
import { cpuSeconds } from './cost.ts'

export type Workload = {
  name: string
  about: string
  /** How many tasks unless somebody says otherwise. */
  count: number
  /** Whether the number of tasks is what the workload is about. */
  isCountFixed?: boolean
  /** It needs the tables of Millrace. */
  isOurs?: boolean
  /** It takes minutes: left out unless asked for by name. */
  isLong?: boolean
  /** `another` brings up a second, empty system of the same kind beside the first. */
  run(entry: Entry, count: number, another: () => Promise<Entry>): Promise<Result>
}

/** What one run of one contestant came to. */
export type Result = {
  tasksPerSecond?: number
  /** Microseconds of CPU for each task, by part of the system. */
  cpuMicros?: Record<string, number>
  /** What a whole life of a task cost PostgreSQL. */
  perTask?: { walBytes: number; commits: number; heapOnlyShare: number; messages?: number }
  /** One rate by another of the same run, by what was compared. */
  ratios?: Record<string, number>
  /** Of the worker, above what it had before the first task, for each of the tasks that ran at once. */
  memoryBytesPerTask?: number
  /** Milliseconds, by what was measured. */
  latencies?: Record<string, Percentiles>
}

export type Percentiles = { p50: number; p95: number; p99: number }

export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Resolves with the time when the store says that so many are done. Throws when it says more. */
export function allStored(entry: Entry, count: number): Promise<number> {
  return completedMore(entry, 0, count)
}

/** As `allStored`, of tasks that came after others. */
export async function completedMore(entry: Entry, before: number, count: number): Promise<number> {
  for (;;) {
    const completed = (await entry.completed()) - before
    if (completed > count) throw new Error(`${completed} of ${count} tasks are done`)
    if (completed === count) return nowMs()
    await sleep(10)
  }
}

/** CPU seconds so far, by part. */
export function cpuOf(entry: Entry): Record<string, number> {
  const parts = Object.entries(entry.pids())
  return Object.fromEntries(
    parts.map(([part, pids]) => [part, pids.reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0)]),
  )
}

type Spent = {
  count: number
  ms: number
  cpuBefore: Record<string, number>
  /** When nothing had been submitted yet. */
  effortBefore: Effort | undefined
}

/** Rate and costs of `count` tasks that took `ms`, after which all of them were stored as done. */
export async function judge(entry: Entry, { count, ms, cpuBefore, effortBefore }: Spent): Promise<Result> {
  const cpu = Object.entries(cpuOf(entry)).map(([part, seconds]) => [
    part,
    ((seconds - (cpuBefore[part] ?? 0)) * 1e6) / count,
  ])
  await entry.leave() // a server counts what a client did when that has left, at the latest
  const effort = await entry.effort()
  return {
    tasksPerSecond: count / (ms / 1000),
    cpuMicros: Object.fromEntries(cpu),
    ...(effort && effortBefore && { perTask: perTask(effortBefore, effort, count) }),
  }
}

function perTask(before: Effort, after: Effort, count: number) {
  const spent = (of: keyof Effort) => (after[of] ?? 0) - (before[of] ?? 0)
  return {
    walBytes: spent('walBytes') / count,
    commits: spent('commits') / count,
    heapOnlyShare: spent('heapOnlyUpdates') / spent('updates'),
    ...(after.packets === undefined ? {} : { messages: spent('packets') / count }),
  }
}

export function percentiles(numbers: readonly number[]): Percentiles {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (percent: number) => nearestRank(sorted, percent)
  return { p50: at(50), p95: at(95), p99: at(99) }
}

/** Does something in the database of Millrace. */
export async function ownSql<T>({ own }: Entry, work: (sql: pg.Client) => Promise<T>): Promise<T> {
  const sql = new pg.Client({ connectionString: own!.databaseUrl, options: '-c search_path=millrace' })
  await sql.connect()
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}
