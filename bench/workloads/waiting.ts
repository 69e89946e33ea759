import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from '../contestant.ts'
import { memoryBytes } from '../cost.ts'
import { allStored, cpuOf, judge, nowMs, type Workload } from '../workload.ts'

const sleepMs = 3_000

/** A backlog of tasks that wait 3 s, all of them at once: from the first start until all are stored as done. */
export function waiting(count: number): Workload {
  return {
    name: `wait-${count}`,
    about: 'tasks that wait 3 s, all of them at once in one worker process',
    count,
    isCountFixed: true,
    async run(entry, count) {
      const effortBefore = await entry.effort()
      await entry.work(count, { sleepMs, concurrency: count })
      const idleBytes = workerBytes(entry)
      await entry.killWorkers()
      await entry.submit(count, { inOne: 1_000, lanes: 4 })
      const cpuBefore = cpuOf(entry)
      const working = await entry.work(count, { sleepMs, concurrency: count })
      const fromMs = await working.firstAtMs
      await sleep(Math.max(0, fromMs + sleepMs - 500 - nowMs()))
      const memoryBytesPerTask = (workerBytes(entry) - idleBytes) / count
      await working.all
      const untilMs = await allStored(entry, count)
      return {
        ...(await judge(entry, { count, ms: untilMs - fromMs, cpuBefore, effortBefore })),
        memoryBytesPerTask,
      }
    },
  }
}

function workerBytes(entry: Entry): number {
  return (entry.pids().worker ?? []).reduce((sum, pid) => sum + (memoryBytes(pid) ?? 0), 0)
}
