import type { Sleep, TaskReader } from '../domain/ports.ts'
import type { Snapshot } from '../domain/stats.ts'
import { lookingRounds, told } from './look.ts'

export type FollowStatsDeps = { reader: Pick<TaskReader, 'snapshot'>; sleep: Sleep }

const lookEveryMs = 1_000

/**
 * Following how the whole system stands: now, and then once a second when it has changed. However many follow in this
 * process, the database is asked once a second for all of them, and not at all while nobody does. Only the latest is
 * kept: who is slow misses what lies between.
 */
export function followingStats({ reader, sleep }: FollowStatsDeps) {
  const waiters = new Set<() => void>()
  let latest: Snapshot | undefined
  let latestText = ''
  const look = lookingRounds({ isWanted: () => waiters.size > 0, round, sleep, pauseMs: () => lookEveryMs })

  return { followStats }

  /** Ends when `signal` aborts. Its first step fails with StoreUnavailableError while the database is away. */
  async function* followStats(signal: AbortSignal): AsyncGenerator<Snapshot> {
    let seen = keep(await reader.snapshot())
    while (!signal.aborted) {
      yield seen
      if (latest === seen) await changed(signal)
      seen = latest ?? seen
    }
  }

  /** The same object as before, where nothing has changed. */
  function keep(snapshot: Snapshot): Snapshot {
    const text = JSON.stringify(snapshot)
    if (latest && text === latestText) return latest
    latestText = text
    latest = snapshot
    for (const tell of waiters) tell()
    return snapshot
  }

  function changed(signal: AbortSignal): Promise<void> {
    return told(signal, (tell) => {
      waiters.add(tell)
      look()
      return () => waiters.delete(tell)
    })
  }

  async function round(): Promise<void> {
    keep(await reader.snapshot())
  }
}
