import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Log, Outbox, Publisher, Sleep } from '../domain/ports.ts'
import { type Carry, carrying, roundSize } from './carry.ts'
import { keepMarking } from './markers.ts'
import { type OutageLog, outageLog } from './outage.ts'
import { keepFindingStrays } from './strays.ts'

export type RelayDeps = { outbox: Outbox; publisher: Publisher; sleep: Sleep; log: Log }

export type Relay = {
  /** Packets that this process has just stored: they go to the broker without a look at the ledger. */
  offer(packets: readonly PacketRef[]): void
  /** Takes no more, and resolves when what was offered before is sent, or cannot be. */
  stop(): Promise<void>
}

/** What is offered beyond this is left to the look for strays. */
const mostOffers = 10_000

/**
 * Carries packets from the ledger to the broker: those that are offered at once, and a moment later the strays, which
 * nobody carried or which the broker lost. Any number of processes may do this at the same time; a packet that is
 * sent twice does no harm. An outage of either side is logged once and waited out.
 */
export function startRelay(deps: RelayDeps): Relay {
  const stopping = new AbortController()
  const outage = outageLog(deps.log)
  const carry = carrying(deps)
  const offers = takeOffers(carry, outage)
  const loops = [
    keepFindingStrays({ ...deps, carry, outage, isOffered: offers.has }, stopping.signal),
    keepMarking({ ...deps, outage }, stopping.signal),
  ]
  return {
    offer(packets) {
      if (!stopping.signal.aborted) offers.take(packets)
    },
    async stop() {
      stopping.abort()
      await Promise.all([...loops, offers.done()])
    },
  }
}

/** Sends whatever has gathered as soon as the last round is done. What fails is left to the look for strays. */
function takeOffers(carry: Carry, outage: OutageLog) {
  const held = new Set<PacketId>()
  let waiting: PacketRef[] = []
  let working: Promise<void> | undefined

  return { take, has: (packet: PacketId) => held.has(packet), done: async () => working }

  function take(packets: readonly PacketRef[]) {
    for (const packet of packets.slice(0, Math.max(0, mostOffers - held.size))) {
      held.add(packet.id)
      waiting.push(packet)
    }
    working ??= work().finally(() => {
      working = undefined
    })
  }

  async function work() {
    while (waiting.length > 0) {
      const round = waiting.slice(0, roundSize)
      waiting = waiting.slice(roundSize)
      const sent = await send(round)
      if (sent === 0) drop(waiting.splice(0))
      drop(round)
    }
  }

  function drop(packets: readonly PacketRef[]) {
    for (const { id } of packets) held.delete(id)
  }

  async function send(round: readonly PacketRef[]): Promise<number> {
    try {
      const { length } = await carry(round)
      outage.over()
      return length
    } catch (error) {
      outage.began(error)
      return 0
    }
  }
}
