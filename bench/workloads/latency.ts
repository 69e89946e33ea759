import { until } from '../../test/support/until.ts'
import type { Entry, Working } from '../contestant.ts'
import { allStored, nowMs, type Percentiles, percentiles, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'

const idlePerSecond = 20
const seconds = 10
const shares = { '30 %': 0.3, '70 %': 0.7 }

/**
 * From the moment at which a task was due to be submitted until its handler is called: at an idle system, and at
 * shares of what this contestant can do, measured first. What waits because others do is counted in, since tasks come
 * at their moments and not when the system is ready for them.
 */
export const latency: Workload = {
  name: 'latency',
  about: `tasks one by one, submitted to started, at ${idlePerSecond} a second and at 30 % and 70 % of the most`,
  count: 20_000,
  async run(entry, count) {
    const working = await entry.work(Number.MAX_SAFE_INTEGER, doNothing)
    const tasksPerSecond = await most(entry, count)
    const latencies: Record<string, Percentiles> = { idle: await delaysAt(entry, working, idlePerSecond) }
    for (const [name, share] of Object.entries(shares))
      latencies[name] = await delaysAt(entry, working, share * tasksPerSecond)
    return { tasksPerSecond, latencies }
  },
}

async function most(entry: Entry, count: number): Promise<number> {
  const fromMs = nowMs()
  await entry.submit(count, { inOne: 1, lanes: 64 })
  const untilMs = await allStored(entry, count)
  return count / ((untilMs - fromMs) / 1000)
}

/** Of `seconds` of tasks one by one. */
export async function delaysAt(entry: Entry, working: Working, perSecond: number): Promise<Percentiles> {
  const fromMs = nowMs()
  await entry.flow({ perSecond, seconds })
  const seen = () => working.delays.filter(([dueAtMs]) => dueAtMs >= fromMs)
  const count = Math.round(perSecond * seconds)
  await until(() => seen().length >= count, { deadlineMs: 60_000, what: `${count} tasks have started` })
  return percentiles(seen().map(([, ms]) => ms))
}
