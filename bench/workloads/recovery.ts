import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs, percentiles, type Workload } from '../workload.ts'

const longMs = 600_000
const patienceMs = 60_000

/**
 * A worker process dies with its tasks under way while another is ready: until all of them are stored as done by the
 * other. Whoever leaves them longer than a minute is said to take that minute.
 */
export const recovery: Workload = {
  name: 'recovery',
  about: `kill -9 of a worker with all tasks under way, until another has done them; ${patienceMs / 1000} s at most`,
  count: 10,
  isCountFixed: true,
  async run(entry, count) {
    const doomed = await entry.work(count, { concurrency: count, sleepMs: longMs })
    await entry.submit(count, { inOne: count, lanes: 1 })
    await doomed.firstAtMs
    await entry.killWorkers()
    const killedMs = nowMs()
    await entry.work(count, { concurrency: count, sleepMs: 0 })
    while ((await entry.completed()) < count && nowMs() < killedMs + patienceMs) await sleep(20)
    return { latencies: { recovery: percentiles([nowMs() - killedMs]) } }
  },
}
