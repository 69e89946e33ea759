import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Entry } from '../contestant.ts'
import { median } from '../table.ts'
import { allStored, completedMore, cpuOf, nowMs, ownSql, percentiles, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'

const shape = { inOne: 1_000, lanes: 4 }
const times = 5

/** What limits of keys leave of the rate: the same backlog with limits that hold nobody back, beside one without, in turns. */
export const keyLimits: Workload = {
  name: 'key-limits',
  about: 'a backlog of no-op tasks of 100 keys with 50 at once of each, beside the same without limits',
  count: 40_000,
  isOurs: true,
  async run(entry, count, another) {
    const without = await another()
    await limit(entry, { key_concurrency: 50 })
    const rates: number[] = []
    const ratios: number[] = []
    const cpu: number[] = []
    for (let time = 0; time < times; time++) {
      const usual = await drained(without, { count, time })
      const limited = await drained(entry, { count, time })
      rates.push(limited.rate)
      ratios.push(limited.rate / usual.rate)
      cpu.push(usual.cpuSeconds / limited.cpuSeconds)
    }
    return {
      tasksPerSecond: median(rates),
      ratios: { 'of the rate without': median(ratios), 'CPU without': median(cpu) },
    }
  },
}

const others = 10
const rounds = 10

/**
 * How soon ten tasks of one tenant are done while a great many of another wait: a hundred at once, 50 ms each. The first
 * ones were submitted when nobody had looked at any of the many.
 */
export const tenants: Workload = {
  name: 'tenants',
  about: 'ten tasks of one key, submitted to done, while all the others are of another',
  count: 1_000_000,
  isOurs: true,
  isLong: true,
  async run(entry, count) {
    await limit(entry, { concurrency: 100 })
    await entry.submit(count, { ...shape, keys: 'many' })
    const working = await entry.work(Number.MAX_SAFE_INTEGER, { concurrency: 1_000, sleepMs: 50 })
    await working.firstAtMs
    const ms = await ownSql(entry, (sql) => timesOfFew(entry, sql))
    return { latencies: { 'at first': percentiles(ms.slice(0, 1)), 'ten times': percentiles(ms) } }
  },
}

async function timesOfFew(entry: Entry, sql: pg.Client): Promise<number[]> {
  const ms: number[] = []
  for (let round = 0; round < rounds; round++) {
    const fromMs = nowMs()
    await entry.submit(others, { ...shape, keys: 'few' })
    while ((await doneOfNewest(sql)) < others) await sleep(2)
    ms.push(nowMs() - fromMs)
    await sleep(500)
  }
  return ms
}

async function doneOfNewest(sql: pg.Client): Promise<number> {
  const { rows } = await sql.query<{ n: number }>(
    `select count(*)::int as n
       from (select first_id, last_id from batches order by id desc limit 1) as b
       join tasks as t on t.id between b.first_id and b.last_id
      where t.status = 'completed'`,
  )
  return rows[0]!.n
}

async function limit(entry: Entry, limits: Record<string, number>): Promise<void> {
  const names = Object.keys(limits).join(', ')
  const values = Object.values(limits).join(', ')
  await ownSql(entry, (sql) => sql.query(`insert into queues (name, ${names}) values ('default', ${values})`))
}

type Turn = { count: number; time: number }

async function drained(entry: Entry, { count, time }: Turn): Promise<{ rate: number; cpuSeconds: number }> {
  await entry.submit(count, { ...shape, keys: 100 })
  const before = cpuOf(entry).PostgreSQL!
  const working = await entry.work(count, doNothing)
  const fromMs = await working.firstAtMs
  await working.all
  const untilMs = time === 0 ? await allStored(entry, count) : await completedMore(entry, time * count, count)
  const cpuSeconds = cpuOf(entry).PostgreSQL! - before
  await entry.stopWorkers()
  return { rate: count / ((untilMs - fromMs) / 1000), cpuSeconds }
}
