import type { Database, Run } from './connection.ts'

const readClock = { name: 'clock.read', text: 'select extract(epoch from clock_timestamp())::float8 * 1000' }
const againAfterMs = 60_000
const retryAfterMs = 1_000

/** Milliseconds since 1970 by the database's clock. What is due or old is so by this one. */
export async function readNowMs(run: Run): Promise<number> {
  return (await run<[number]>(readClock))[0]![0]
}

export type DatabaseClock = {
  /** Milliseconds since 1970 by the database's clock, as far as it is known. Never waits. */
  nowMs(): number
}

/**
 * The database's clock, estimated from this process's: ids carry their time, and a process whose clock is off must
 * not put its tasks into another day's partition. Compared at once, and again at most once a minute when it is used.
 */
export function databaseClock({ run }: Database): DatabaseClock {
  let offsetMs = 0
  let againAtMs = 0
  void adjust()
  return {
    nowMs() {
      if (performance.now() > againAtMs) void adjust()
      return Math.round(Date.now() + offsetMs)
    },
  }

  async function adjust(): Promise<void> {
    againAtMs = Number.POSITIVE_INFINITY
    const askedMs = Date.now()
    try {
      const databaseMs = await readNowMs(run)
      offsetMs = databaseMs - (askedMs + Date.now()) / 2
      againAtMs = performance.now() + againAfterMs
    } catch {
      againAtMs = performance.now() + retryAfterMs // the database is away
    }
  }
}
