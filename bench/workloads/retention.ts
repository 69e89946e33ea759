import { openDatabase } from '../../src/storage/connection.ts'
import { createPartition } from '../../src/storage/partitions.ts'
import { retire } from '../../src/storage/retention.ts'
import type { Entry } from '../contestant.ts'
import { fill } from '../fill.ts'
import { nowMs, ownSql, type Percentiles, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'
import { delaysAt } from './latency.ts'

const dayMs = 86_400_000
const ageDays = 40
const retentionDays = 30
const perSecond = 2_000

/** A partition of finished tasks is too old and goes, while others are submitted one by one. */
export const retention: Workload = {
  name: 'retention',
  about: `${perSecond} tasks a second, submitted to started, before and while a partition of ten million old ones goes`,
  count: 10_000_000,
  isOurs: true,
  isLong: true,
  async run(entry, count) {
    // Every process looks for what is too old when it starts, and then every ten minutes.
    const working = await entry.work(Number.MAX_SAFE_INTEGER, doNothing)
    await ownSql(entry, (sql) => fillOld(entry, sql, count))
    await delaysAt(entry, working, perSecond) // warm
    const before = await delaysAt(entry, working, perSecond)
    const gone = letGo(entry)
    const meanwhile = await delaysAt(entry, working, perSecond)
    const dropMs = await gone
    const latencies: Record<string, Percentiles> = {
      before,
      meanwhile,
      'the drop itself': { p50: dropMs, p95: dropMs, p99: dropMs },
    }
    return { latencies }
  },
}

async function fillOld({ own }: Entry, sql: Parameters<Parameters<typeof ownSql>[1]>[0], count: number) {
  const database = openDatabase(own!.databaseUrl, settings)
  const lowerMs = Math.floor(Date.now() / dayMs - ageDays) * dayMs
  await database.transaction((run) =>
    createPartition(run, { name: 'tasks_old', lowerMs, upperMs: lowerMs + 2 * dayMs }),
  )
  await database.close()
  await fill(sql, { completed: count }, { ageDays })
}

const settings = { connections: 1, statementTimeoutMs: 600_000, plans: 'looks' } as const

/** As the housekeeping does it. Answers how long the transaction took that holds others up. */
async function letGo({ own }: Entry): Promise<number> {
  const database = openDatabase(own!.databaseUrl, settings)
  let lastMs = Number.NaN
  const timed: typeof database = {
    ...database,
    async transaction(work) {
      const fromMs = nowMs()
      const answer = await database.transaction(work)
      lastMs = nowMs() - fromMs
      return answer
    },
  }
  await retire(timed, retentionDays)
  await database.close()
  return lastMs
}
