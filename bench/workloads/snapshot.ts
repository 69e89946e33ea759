import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Entry } from '../contestant.ts'
import { median } from '../table.ts'
import { completedMore, nowMs, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'

const heldMs = 300_000
const recoveryMs = 60_000
const rounds = 10

/**
 * Somebody keeps a transaction open, as a long report or a forgotten session does, and PostgreSQL cannot clean up what
 * has changed since: the rate in the last of five minutes, and a minute after it has ended, each by the rate before.
 */
export const snapshot: Workload = {
  name: 'snapshot',
  about: `submitted in batches of 100 and run, with a snapshot held open for ${heldMs / 60_000} minutes`,
  count: 20_000,
  isOurs: true,
  isLong: true,
  async run(entry, count) {
    await entry.work(Number.MAX_SAFE_INTEGER, doNothing)
    await rate(entry, count) // warm
    const before = await rate(entry, count)
    const holder = await hold(entry.own!.databaseUrl)
    const held = await rateAtEndOf(entry, count, heldMs)
    await holder.end()
    const after = await rateAtEndOf(entry, count, recoveryMs)
    return { tasksPerSecond: before, ratios: { held: held / before, 'a minute after': after / before } }
  },
}

async function hold(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('begin isolation level repeatable read')
  await client.query('select count(*) from millrace.counters')
  return client
}

/** Load goes on all the time, a third of it, so that there is something to clean up; measured is the end. */
async function rateAtEndOf(entry: Entry, count: number, ms: number): Promise<number> {
  for (const untilMs = nowMs() + ms; nowMs() < untilMs; ) {
    const fromMs = nowMs()
    await round(entry, count)
    await sleep(2 * (nowMs() - fromMs))
  }
  return rate(entry, count)
}

async function rate(entry: Entry, count: number): Promise<number> {
  const all: number[] = []
  for (let n = 0; n < rounds; n++) all.push(await round(entry, count))
  return median(all)
}

async function round(entry: Entry, count: number): Promise<number> {
  const before = await entry.completed()
  const fromMs = nowMs()
  await entry.submit(count, { inOne: 100, lanes: 8 })
  const untilMs = await completedMore(entry, before, count)
  return count / ((untilMs - fromMs) / 1000)
}
