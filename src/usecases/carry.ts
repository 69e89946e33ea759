import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Outbox, Publisher } from '../domain/ports.ts'

/**
 * Sends a round of at most 500 packets. Answers those that the broker has now; none while it has enough. An empty
 * round asks whether both sides are there.
 */
export type Carry = (round: readonly PacketRef[]) => Promise<PacketId[]>

export const roundSize = 500
/** With so many packets at the broker more would not be faster, and cost its memory. */
const mostOutstanding = 100_000
const countEveryMs = 1_000

/** Publishes packets and marks them as sent once the broker has confirmed them. */
export function carrying({ outbox, publisher }: { outbox: Outbox; publisher: Publisher }): Carry {
  let outstanding = 0
  let countedAt = Number.NEGATIVE_INFINITY
  let unmarked: PacketId[] = []

  return async (round) => {
    if (unmarked.length > 0) await mark()
    if (round.length > 0 && (await hasEnough())) return []
    const sent = await publisher.publish(round)
    outstanding += sent.length
    unmarked.push(...sent)
    if (sent.length > 0) await mark()
    return sent
  }

  /** What could not be marked is marked before anything else is done, or it would be taken for strays. */
  async function mark() {
    const sent = unmarked
    unmarked = []
    try {
      await outbox.markSent(sent)
    } catch (error) {
      unmarked = [...sent, ...unmarked]
      throw error
    }
  }

  async function hasEnough(): Promise<boolean> {
    if (performance.now() - countedAt > countEveryMs) {
      countedAt = performance.now()
      outstanding = await outbox.outstanding(mostOutstanding)
    }
    return outstanding >= mostOutstanding
  }
}
