import type { LeasedWorkers } from '../domain/leased-worker.ts'
import type { Sleep } from '../domain/ports.ts'

export type AwaitPacketsDeps = { workers: Pick<LeasedWorkers, 'waitingQueues'>; sleep: Sleep }

const lookEveryMs = 50

/**
 * Waiting for packets in some queues. However many wait in this process, the database answers one small query every
 * 50 ms for all of them, and none when nobody waits.
 */
export function awaitingPackets({ workers, sleep }: AwaitPacketsDeps) {
  const waiters = new Set<{ queues: readonly string[]; tell: () => void }>()
  let looking = false

  /** Resolves when packets wait in one of the queues, when the time is over or the signal aborts. */
  return async function packetsIn(queues: readonly string[], waitMs: number, signal: AbortSignal) {
    const over = new AbortController()
    const waiter = { queues, tell: () => over.abort() }
    waiters.add(waiter)
    if (!looking) void look()
    await sleep(waitMs, AbortSignal.any([signal, over.signal])).catch(() => {})
    waiters.delete(waiter)
  }

  async function look(): Promise<void> {
    looking = true
    while (waiters.size > 0) {
      const waiting = new Set(await workers.waitingQueues().catch(() => [])) // an outage: look again
      for (const { queues, tell } of waiters) if (queues.some((queue) => waiting.has(queue))) tell()
      await sleep(lookEveryMs)
    }
    looking = false
  }
}
