import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from '../contestant.ts'
import { memoryBytes } from '../cost.ts'
import { allStored, cpuOf, judge, nowMs, type Workload } from '../workload.ts'

const sleepMs = 3_000

/** As many at once as there are tasks, each waiting 3 s: from the first request until all are stored as done. */
export function waiting(count: number): Workload {
  return {
    name: `wait-${count}`,
    about: 'tasks that wait 3 s, all of them at once in one worker process',
    count,
    isCountFixed: true,
    async run(entry, count) {
      const effortBefore = await entry.effort()
      const working = await entry.work(count, { sleepMs, concurrency: count })
      const cpuBefore = cpuOf(entry)
      const idleBytes = workerBytes(entry)
      const fromMs = nowMs()
      await entry.submit(count, { inOne: 1_000, lanes: 4 })
      await sleep(Math.max(0, (await working.firstAtMs) + sleepMs - 500 - nowMs()))
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
