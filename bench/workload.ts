import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry, Work } from './contestant.ts'
import { cpuSeconds, memoryMb } from './system.ts'

/** What one run of one contestant came to. */
export type Result = {
  tasksPerSecond: number
  /** Microseconds of CPU for each task, by part of the system. */
  cpuMicros: Record<string, number>
  walBytesPerTask: number | undefined
  /** Of the worker, above what it had before the first task, for each of the tasks that ran at once. */
  memoryBytesPerTask?: number
}

export type Workload = {
  name: string
  about: string
  /** How many tasks unless somebody says otherwise. */
  count: number
  work: Work
  run(entry: Entry, count: number): Promise<Result>
}

const doNothing: Work = { concurrency: 500, sleepMs: 0 }

/** A backlog of tasks that do nothing, and then one worker process: from the first start until all are stored as done. */
export const drain: Workload = {
  name: 'drain',
  about: 'a backlog of no-op tasks, worked off by one worker process',
  count: 50_000,
  work: doNothing,
  async run(entry, count) {
    await entry.submit(count, { inOne: 1_000, lanes: 4 })
    const walBefore = await entry.walBytes()
    const cpuBefore = cpuOf(entry)
    const working = await entry.work(count, doNothing)
    const fromMs = await working.firstAtMs
    await working.all
    const untilMs = await allStored(entry, count)
    return resultOf(entry, { count, ms: untilMs - fromMs, walBefore, cpuBefore })
  },
}

/** Submitted while one worker process runs: from the first request until all are stored as done. */
function endToEnd(inOne: number, lanes: number, count: number): Workload {
  return {
    name: inOne === 1 ? 'single' : `batch-${inOne}`,
    about: `submitted ${inOne === 1 ? 'one by one' : `in batches of ${inOne}`} over ${lanes} connections, and run to the end`,
    count,
    work: doNothing,
    async run(entry, count) {
      const working = await entry.work(count, doNothing)
      const walBefore = await entry.walBytes()
      const cpuBefore = cpuOf(entry)
      const fromMs = nowMs()
      await entry.submit(count, { inOne, lanes })
      await working.all
      const untilMs = await allStored(entry, count)
      return resultOf(entry, { count, ms: untilMs - fromMs, walBefore, cpuBefore })
    },
  }
}

/** As many at once as there are tasks, each waiting 3 s: from the first request until all are stored as done. */
function waiting(count: number): Workload {
  const work: Work = { concurrency: count, sleepMs: 3_000 }
  return {
    name: `wait-${count}`,
    about: 'tasks that wait 3 s, all of them at once in one worker process',
    count,
    work,
    async run(entry, count) {
      const working = await entry.work(count, { ...work, concurrency: count })
      const walBefore = await entry.walBytes()
      const cpuBefore = cpuOf(entry)
      const idleBytes = workerBytes(entry)
      const fromMs = nowMs()
      await entry.submit(count, { inOne: 1_000, lanes: 4 })
      await sleep(Math.max(0, (await working.firstAtMs) + work.sleepMs - 500 - nowMs()))
      const memoryBytesPerTask = (workerBytes(entry) - idleBytes) / count
      await working.all
      const untilMs = await allStored(entry, count)
      const result = await resultOf(entry, { count, ms: untilMs - fromMs, walBefore, cpuBefore })
      return { ...result, memoryBytesPerTask }
    },
  }
}

export const workloads: readonly Workload[] = [
  drain,
  endToEnd(100, 8, 50_000),
  endToEnd(10, 16, 20_000),
  endToEnd(1, 64, 10_000),
  waiting(10_000),
]

async function allStored(entry: Entry, count: number): Promise<number> {
  for (;;) {
    const completed = await entry.completed()
    if (completed > count) throw new Error(`${completed} of ${count} tasks are done`)
    if (completed === count) return nowMs()
    await sleep(10)
  }
}

type Before = {
  count: number
  ms: number
  walBefore: number | undefined
  cpuBefore: Record<string, number>
}

async function resultOf(entry: Entry, { count, ms, walBefore, cpuBefore }: Before): Promise<Result> {
  const wal = await entry.walBytes()
  const cpu = Object.entries(cpuOf(entry)).map(([part, seconds]) => [
    part,
    ((seconds - (cpuBefore[part] ?? 0)) * 1e6) / count,
  ])
  return {
    tasksPerSecond: count / (ms / 1000),
    cpuMicros: Object.fromEntries(cpu),
    walBytesPerTask: wal === undefined || walBefore === undefined ? undefined : (wal - walBefore) / count,
  }
}

function workerBytes(entry: Entry): number {
  return (entry.pids().worker ?? []).reduce((sum, pid) => sum + (memoryMb(pid) ?? 0) * 1e6, 0)
}

function cpuOf(entry: Entry): Record<string, number> {
  const parts = Object.entries(entry.pids())
  return Object.fromEntries(
    parts.map(([part, pids]) => [part, pids.reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0)]),
  )
}

function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
