import type { Database } from './connection.ts'

const readClock = { name: 'clock.read', text: 'select extract(epoch from clock_timestamp())::float8 * 1000' }
const againAfterMs = 60_000

export type DatabaseClock = {
  /** Milliseconds since 1970 by the database's clock, as far as it is known. Never waits. */
  nowMs(): number
  /** Compares the clocks; fails while the database is away. */
  adjust(): Promise<void>
}

/**
 * The database's clock, estimated from this process's: ids carry their time, and a process whose clock is off must
 * not put its tasks into another day's partition. Compared again at most once a minute, when it is used.
 */
export function databaseClock({ run }: Database): DatabaseClock {
  let offsetMs = 0
  let adjustedAtMs = Number.NEGATIVE_INFINITY

  return {
    adjust,
    nowMs() {
      if (performance.now() - adjustedAtMs > againAfterMs) void adjust().catch(() => {})
      return Math.round(Date.now() + offsetMs)
    },
  }

  async function adjust(): Promise<void> {
    adjustedAtMs = performance.now()
    const askedMs = Date.now()
    const [[databaseMs]] = (await run<[number]>(readClock)) as [[number]]
    offsetMs = databaseMs - (askedMs + Date.now()) / 2
  }
}
