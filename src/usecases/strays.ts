import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Outbox, Publisher, Sleep } from '../domain/ports.ts'
import { type Carry, roundSize } from './carry.ts'
import type { OutageLog } from './outage.ts'

export type StrayDeps = {
  outbox: Outbox
  publisher: Publisher
  sleep: Sleep
  carry: Carry
  outage: OutageLog
  /** Whether this process is about to send the packet anyway. */
  isOffered: (packet: PacketId) => boolean
}

const lookEveryMs = 500
/** What a look finds beyond the round that is sent will have been seen when the next look finds it. */
const lookSize = 3 * roundSize

/**
 * Looks for packets that nobody has sent: their process died, the broker was away, they were submitted in SQL, or
 * the broker lost them. A packet counts as a stray when two looks have found it, because at the first one its own
 * process may be about to send it. A backlog is carried without waiting between looks, unless packets that this
 * process has not sent vanish from it: then another process carries it, and one at a time is enough.
 */
export async function keepFindingStrays(deps: StrayDeps, signal: AbortSignal): Promise<void> {
  let seen = new Set<PacketId>()
  while (!signal.aborted) {
    const more = await lookOrWait()
    // Spread, so that processes that start to look together do not go on so.
    if (!more) await deps.sleep(lookEveryMs * (0.75 + Math.random() / 2), signal).catch(() => {})
  }

  async function lookOrWait(): Promise<boolean> {
    try {
      const more = await look()
      deps.outage.over()
      return more
    } catch (error) {
      deps.outage.began(error)
      seen = new Set()
      return false
    }
  }

  /** Answers whether to look again at once. */
  async function look(): Promise<boolean> {
    await deps.carry([]) // rejects while the broker is away, and spares the database
    const found = await deps.outbox.unsent(lookSize, deps.publisher.unserved())
    const alone = isIn(found, seen)
    const others = found.filter(({ id }) => !deps.isOffered(id))
    const strays = oneRound(others.filter(({ id }) => seen.has(id)))
    const sent = new Set(strays.length > 0 ? await deps.carry(strays) : [])
    seen = new Set(others.map(({ id }) => id).filter((id) => !sent.has(id)))
    return alone && sent.size === roundSize
  }
}

/** The oldest, or those after them: two processes that look in step would send the same for ever. */
function oneRound(strays: readonly PacketRef[]): readonly PacketRef[] {
  const from = strays.length >= 2 * roundSize && Math.random() < 0.5 ? roundSize : 0
  return strays.slice(from, from + roundSize)
}

function isIn(found: readonly PacketRef[], seen: ReadonlySet<PacketId>): boolean {
  const ids = new Set(found.map(({ id }) => id))
  return [...seen].every((id) => ids.has(id))
}
