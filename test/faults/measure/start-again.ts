import { until } from '../../support/until.ts'
import { type HandlerLine, readLines } from '../system/ledger.ts'
import { nowMs } from '../system/machine-clock.ts'
import type { Member } from '../trial/fault.ts'
import { percentile } from '../trial/recovery.ts'
import type { Reading } from './figure.ts'
import type { Stand } from './stand.ts'

/** What takes a worker's tasks from it, and what gives it back to the others. */
export type Blow = {
  strike(worker: Member): void
  undo(worker: Member): Promise<void>
}

export type Rounds = {
  /** How many workers are to be struck in all. */
  tries: number
  /** How many of them at once. */
  atOnce: number
  say: (line: string) => void
}

const tasksEach = 10
/** Longer than any round. */
const taskMs = 600_000
const deadlineMs = 120_000

/**
 * Strikes workers that are at work, round after round, and answers how long each of their tasks took to start again,
 * in milliseconds.
 */
export async function startsAgain(stand: Stand, blow: Blow, rounds: Rounds): Promise<number[]> {
  const { workers } = stand
  const tookMs: number[] = []
  for (let tried = 0; tried < rounds.tries; tried += rounds.atOnce) {
    const struck = Array.from({ length: rounds.atOnce }, (_, i) => workers[(tried + i) % workers.length]!)
    const inRound = await round(stand, struck, blow)
    rounds.say(`${struck.map(({ name }) => name).join(', ')}: ${spread(inRound)}`)
    tookMs.push(...inRound)
  }
  return tookMs
}

async function round(stand: Stand, struck: readonly Member[], blow: Blow): Promise<number[]> {
  const { client, workers, database } = stand
  await until(() => allAnnounced(stand), { deadlineMs, what: 'every worker has announced itself' })
  const ids: string[] = []
  const names = struck.map(({ name }) => name)
  const lost = await until(
    async () => {
      ids.push(...(await client.submit(tasksFor(workers.length))))
      const first = await startsOf(stand, ids, 1)
      const theirs = first.filter(({ member }) => names.includes(member))
      return new Set(theirs.map(({ member }) => member)).size === names.length && theirs.map(({ id }) => id)
    },
    { deadlineMs, what: 'all who are to be struck are at work' },
  )
  const at = nowMs()
  for (const worker of struck) blow.strike(worker)
  const again = await startsOf(stand, lost, 2)
  for (const worker of struck) await blow.undo(worker)
  for (const id of ids) await client.cancel(id)
  const running = `select from millrace.tasks where status = 'processing'`
  await until(async () => (await database.query(running)).length === 0, { what: 'the round is over' })
  return again.map((line) => line.at - at)
}

function tasksFor(workers: number) {
  return Array.from({ length: tasksEach * workers }, () => ({ type: 'slow', payload: { ms: taskMs } }))
}

/** The n-th start of each of the tasks. */
async function startsOf({ ledgers }: Stand, ids: readonly string[], n: number): Promise<HandlerLine[]> {
  const find = () => {
    const starts = readLines<HandlerLine>(ledgers.handlers).filter(({ what }) => what === 'started')
    const byTask = Map.groupBy(starts, ({ id }) => id)
    const found = ids.flatMap((id) => byTask.get(id)?.[n - 1] ?? [])
    return found.length === ids.length && found
  }
  return until(find, { deadlineMs, what: `start ${n} of ${ids.length} tasks` })
}

/** The workers that run, and nobody else. */
async function allAnnounced({ workers, database }: Stand): Promise<boolean> {
  const rows = await database.query<{ pid: number }>('select pid from millrace.workers order by pid')
  const pids = workers.map((worker) => worker.pid()).sort((a, b) => a - b)
  return rows.map(({ pid }) => pid).join() === pids.join()
}

type Goal = { p99Ms: number; maxMs?: number }

/** What was measured against what is promised. */
export function readingOf(tookMs: readonly number[], tries: number, goal: Goal): Reading {
  const { p50Ms, p99Ms, maxMs } = percentiles(tookMs)
  return {
    met: p99Ms <= goal.p99Ms && maxMs <= (goal.maxMs ?? Number.POSITIVE_INFINITY),
    text: `${tries} workers: ${spread(tookMs)}`,
    values: { tries, tasks: tookMs.length, p50Ms, p99Ms, maxMs },
  }
}

function spread(tookMs: readonly number[]): string {
  const { p50Ms, p99Ms, maxMs } = percentiles(tookMs)
  return `${tookMs.length} tasks started again, p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`
}

function percentiles(tookMs: readonly number[]) {
  const at = (share: number) => Math.round(percentile(tookMs, share) ?? Number.NaN)
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
