import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from '../contestant.ts'
import { memoryBytes } from '../cost.ts'
import { allStored, completedMore, cpuOf, judge, nowMs, type Workload } from '../workload.ts'

const sleepMs = 3_000
const shape = { inOne: 1_000, lanes: 4 }

/**
 * As many at once as there are tasks, each waiting 3 s, twice: the first wave shows the memory, the second, in a worker
 * that is warm, the time from the first request until all are stored as done.
 */
export function waiting(count: number): Workload {
  return {
    name: `wait-${count}`,
    about: 'tasks that wait 3 s, all of them at once in one worker process; the second time',
    count,
    isCountFixed: true,
    async run(entry, count) {
      const effortBefore = await entry.effort()
      const working = await entry.work(2 * count, { sleepMs, concurrency: count })
      const cpuBefore = cpuOf(entry)
      const idleBytes = workerBytes(entry)
      const startMs = nowMs()
      await entry.submit(count, shape)
      await sleep(Math.max(0, (await working.firstAtMs) + sleepMs - 500 - nowMs()))
      const memoryBytesPerTask = (workerBytes(entry) - idleBytes) / count
      await allStored(entry, count)
      const fromMs = nowMs()
      await entry.submit(count, shape)
      await working.all
      const untilMs = await completedMore(entry, count, count)
      const ms = untilMs - fromMs
      return {
        ...(await judge(entry, { count: 2 * count, ms: untilMs - startMs, cpuBefore, effortBefore })),
        tasksPerSecond: count / (ms / 1000),
        ratios: { 'of the ideal': sleepMs / ms },
        memoryBytesPerTask,
      }
    },
  }
}

function workerBytes(entry: Entry): number {
  return (entry.pids().worker ?? []).reduce((sum, pid) => sum + (memoryBytes(pid) ?? 0), 0)
}
