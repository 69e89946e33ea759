import { allStored, cpuOf, judge, nowMs, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'

/** Submitted while one worker process runs: from the first request until all are stored as done. */
export function endToEnd(inOne: number, lanes: number, count: number): Workload {
  return {
    name: inOne === 1 ? 'single' : `batch-${inOne}`,
    about: `submitted ${inOne === 1 ? 'one by one' : `in batches of ${inOne}`} over ${lanes} connections, and run to the end`,
    count,
    async run(entry, count) {
      const effortBefore = await entry.effort()
      const working = await entry.work(count, doNothing)
      const cpuBefore = cpuOf(entry)
      const fromMs = nowMs()
      await entry.submit(count, { inOne, lanes })
      await working.all
      const untilMs = await allStored(entry, count)
      return judge(entry, { count, ms: untilMs - fromMs, cpuBefore, effortBefore })
    },
  }
}
