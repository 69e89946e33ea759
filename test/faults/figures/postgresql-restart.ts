import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../../support/postgres.ts'
import type { Figure, Reading } from '../measure/figure.ts'
import {
  countsOf,
  firstStartAfter,
  type Refusal,
  type Stand,
  submitSteadily,
  withStand,
  wrongRefusals,
} from '../measure/stand.ts'
import { type RigLine, readLines } from '../system/ledger.ts'
import { nowMs } from '../system/machine-clock.ts'
import type { DatabaseServer } from '../trial/fault.ts'
import { untilQuiet } from '../trial/judge.ts'
import { percentile } from '../trial/recovery.ts'

const restarts = 20
const startsWithinMs = 3_000
const rate = 60
const startDeadlineMs = 60_000

export const figure: Figure = {
  name: 'postgresql-restart',
  goal: `${restarts} restarts of PostgreSQL in a row: first task <= ${startsWithinMs / 1000} s after it accepts connections, 503 + Retry-After only, no process exits`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'restart', seed, transport: 'postgresql' }, (stand) =>
      restartInARow(stand, { times: Math.max(4, Math.round(restarts * scale)), say }),
    ),
}

type Run = { times: number; say: (line: string) => void }

async function restartInARow(stand: Stand, { times, say }: Run): Promise<Reading> {
  const { database, client, ledgers } = stand
  const load = submitSteadily(client, rate, (n) => ({ type: 'quick', payload: { ms: n % 20 } }))
  await firstStartAfter(stand, 0, startDeadlineMs)
  const tookMs: number[] = []
  for (let i = 0; i < times; i++) {
    const how = i % 2 === 0 ? 'fast restart' : 'kill -9'
    const ms = await recover(stand, how)
    tookMs.push(ms)
    say(`${how}: first task ${ms.toFixed(0)} ms after the server accepted connections`)
    await sleep(1_000)
  }
  const accepted = await load.stop()
  await untilQuiet(stand, 180_000)
  const { differing, unfinished, missing, failures } = await countsOf(database, accepted)
  const refusals = wrongRefusals(ledgers, isOutage)
  const exits = readLines<RigLine>(ledgers.rig).filter(({ what }) => what === 'ended').length
  for (const refusal of refusals.slice(0, 20)) say(`violation: ${refusal}`)
  const slowestMs = Math.max(...tookMs)
  const wrong = differing + unfinished + missing + failures + refusals.length + exits
  const text =
    `${times} restarts: first task after ${percentile(tookMs, 0.5)?.toFixed(0)} ms (median), ${slowestMs.toFixed(0)} ms (slowest); ` +
    `${accepted.length} tasks, ${missing} missing, ${unfinished} not completed, ${failures} failures, ${differing} counts off; ` +
    `${refusals.length} wrong answers, ${exits} exits`
  return {
    met: wrong === 0 && slowestMs <= startsWithinMs,
    text,
    values: {
      tookMs,
      tasks: accepted.length,
      missing,
      unfinished,
      differing,
      refusals: refusals.length,
      exits,
    },
  }
}

const isOutage = ({ status, retryAfter }: Refusal) => status === 503 && retryAfter !== undefined

/** Answers how long after the server accepted connections the first task started. */
async function recover(stand: Stand, how: 'fast restart' | 'kill -9'): Promise<number> {
  const { database } = stand
  const before = database.postmasterPid()
  const done = how === 'kill -9' ? database.kill() : database.restart()
  const acceptedAt = await acceptsAt(database, before)
  const startedAt = await firstStartAfter(stand, acceptedAt, startDeadlineMs)
  await done
  return startedAt - acceptedAt
}

const lookEveryMs = 10

async function acceptsAt(database: DatabaseServer, oldPid: number): Promise<number> {
  for (const untilMs = nowMs() + 120_000; nowMs() < untilMs; await sleep(lookEveryMs)) {
    try {
      if (database.postmasterPid() === oldPid) continue
      await query(database.url, 'select')
      return nowMs()
    } catch {} // not yet
  }
  throw new Error('PostgreSQL did not come back')
}
