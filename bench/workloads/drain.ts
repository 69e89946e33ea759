import type { Entry, Work } from '../contestant.ts'
import { allStored, cpuOf, judge, type Result, type Workload } from '../workload.ts'

/** As many at once as a worker of Millrace runs unless told otherwise. */
export const doNothing: Work = { concurrency: 1_000, sleepMs: 0 }

/** A backlog of tasks that do nothing, and then one worker process: from the first start until all are stored as done. */
export const drain: Workload = {
  name: 'drain',
  about: 'a backlog of no-op tasks, worked off by one worker process',
  count: 100_000,
  run: (entry, count) => workOff(entry, count, doNothing),
}

/** The same with tasks of all lengths: the slow ones must not hold up the others. */
export const mixed: Workload = {
  name: 'mixed',
  about:
    'a backlog of which 90 % do nothing, 9 % wait 20 ms and 1 % a second, worked off by one worker process',
  count: 100_000,
  run: (entry, count) => workOff(entry, count, { ...doNothing, sleepMs: 'mixed' }),
}

async function workOff(entry: Entry, count: number, work: Work): Promise<Result> {
  const effortBefore = await entry.effort()
  await entry.submit(count, { inOne: 1_000, lanes: 4 })
  const cpuBefore = cpuOf(entry)
  const working = await entry.work(count, work)
  const fromMs = await working.firstAtMs
  await working.all
  const untilMs = await allStored(entry, count)
  return judge(entry, { count, ms: untilMs - fromMs, cpuBefore, effortBefore })
}
