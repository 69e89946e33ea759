import type { Work } from '../contestant.ts'
import { allStored, cpuOf, judge, type Workload } from '../workload.ts'

/** As many at once as a worker of Millrace runs unless told otherwise. */
export const doNothing: Work = { concurrency: 1_000, sleepMs: 0 }

/** A backlog of tasks that do nothing, and then one worker process: from the first start until all are stored as done. */
export const drain: Workload = {
  name: 'drain',
  about: 'a backlog of no-op tasks, worked off by one worker process',
  count: 100_000,
  async run(entry, count) {
    const effortBefore = await entry.effort()
    await entry.submit(count, { inOne: 1_000, lanes: 4 })
    const cpuBefore = cpuOf(entry)
    const working = await entry.work(count, doNothing)
    const fromMs = await working.firstAtMs
    await working.all
    const untilMs = await allStored(entry, count)
    return judge(entry, { count, ms: untilMs - fromMs, cpuBefore, effortBefore })
  },
}
