import type { Outbox, Publisher, Sleep } from '../domain/ports.ts'
import type { OutageLog } from './outage.ts'

export type MarkerDeps = { outbox: Outbox; publisher: Publisher; sleep: Sleep; outage: OutageLog }

/** How often to look, and how long a packet may be with the broker until that is strange. */
export const markEveryMs = 10_000
/** A place that stays overdue is most likely just busy: it gets a marker on every third look. */
const everyLooks = 3

/**
 * Sends markers through the queues whose packets have been with the broker for long. The depth of a queue cannot
 * tell whether they are still in it; a marker that comes back can: what was sent before it and is unclaimed may be
 * lost, and is sent again.
 */
export async function keepMarking(deps: MarkerDeps, signal: AbortSignal): Promise<void> {
  let looks = new Map<string, number>()
  while (!signal.aborted) {
    await deps.sleep(markEveryMs, signal).catch(() => {})
    if (!signal.aborted) await markOverdue().catch(deps.outage.began)
  }

  async function markOverdue() {
    const before = looks
    looks = new Map()
    for (const { at, ...place } of await deps.outbox.overdue(markEveryMs)) {
      const key = `${place.priority} ${place.queue}`
      const look = before.get(key) ?? 0
      if (look % everyLooks === 0) await deps.publisher.mark(place, at)
      looks.set(key, look + 1)
    }
  }
}
