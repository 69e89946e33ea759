import type { PacketId } from '../domain/packet.ts'
import type { Place } from '../domain/ports.ts'
import { priorities } from '../domain/task.ts'
import type { AckWindow } from './rabbitmq-acks.ts'
import { queueName } from './rabbitmq-topology.ts'

/** The packets that were delivered to this process and not acked yet. */
export type Deliveries = {
  arrived(place: Place, packet: PacketId, slip: Slip): void
  /** Up to `most` packets, those of a higher priority first, taking turns among queues. Undefined while there are none. */
  take(most: number): PacketId[]
  /** Ends a take: acks the packets, except those that are to be offered again when there is room. */
  settle(packets: readonly PacketId[], blocked: ReadonlySet<PacketId>): void
  /** Ends a take in vain: the packets are offered again. */
  putBack(packets: readonly PacketId[]): void
  roomFreed(): void
  /** A channel has gone; the broker delivers again what had come through it. */
  forget(window: AckWindow): void
}

/** What acks a delivery. */
export type Slip = { window: AckWindow; tag: number }

type Lane = { rank: number; waiting: Delivery[] }
type Delivery = {
  packet: PacketId
  lane: Lane
  /** Undefined when its channel went while somebody was busy with the packet. */
  slip: Slip | undefined
  taken: boolean
  /** How often room had come free when it was taken. */
  freedBefore: number
}

const nobody = -1

/**
 * Deliveries by place. A packet for which there was no room keeps its turn: nothing of the same or a lower priority
 * is offered until room comes free, so that large packets are not overtaken for ever and nobody asks in circles.
 */
export function deliveries(places: readonly Place[]): Deliveries {
  const held = new Map<PacketId, Delivery>()
  const lanes = new Map<string, Lane>(
    places.map((place) => [queueName(place), { rank: priorities.indexOf(place.priority), waiting: [] }]),
  )
  const ranks = priorities.map((_, rank) => [...lanes.values()].filter((lane) => lane.rank === rank))
  let blockedRank = nobody
  let freed = 0
  return { arrived, take, settle, putBack, roomFreed, forget }

  function arrived(place: Place, packet: PacketId, slip: Slip) {
    const known = held.get(packet)
    if (!known) enlist(place, packet, slip)
    else if (!known.slip) known.slip = slip
    else slip.window.ack([slip.tag]) // a copy; the one that is held keeps the packet safe
  }

  function enlist(place: Place, packet: PacketId, slip: Slip) {
    const lane = lanes.get(queueName(place))
    if (!lane) throw new Error(`no packets were asked for from ${queueName(place)}`)
    const delivery = { packet, lane, slip, taken: false, freedBefore: 0 }
    held.set(packet, delivery)
    lane.waiting.push(delivery)
  }

  function take(most: number): PacketId[] {
    const taken: Delivery[] = []
    for (let rank = ranks.length - 1; rank > blockedRank; rank--) takeTurns(ranks[rank]!, most, taken)
    for (const delivery of taken) {
      delivery.taken = true
      delivery.freedBefore = freed
    }
    return taken.map(({ packet }) => packet)
  }

  function settle(packets: readonly PacketId[], blocked: ReadonlySet<PacketId>) {
    const done: Delivery[] = []
    const again: Delivery[] = []
    for (const delivery of takenOf(packets)) (blocked.has(delivery.packet) ? again : done).push(delivery)
    for (const { packet } of done) held.delete(packet)
    ackAll(done)
    for (const { lane, freedBefore } of again) {
      if (freedBefore === freed) blockedRank = Math.max(blockedRank, lane.rank)
    }
    offerAgain(again)
  }

  function putBack(packets: readonly PacketId[]) {
    offerAgain(takenOf(packets))
  }

  function takenOf(packets: readonly PacketId[]): Delivery[] {
    return packets.flatMap((packet) => {
      const delivery = held.get(packet)
      return delivery?.taken ? [delivery] : []
    })
  }

  function offerAgain(again: readonly Delivery[]) {
    for (const delivery of again.toReversed()) {
      delivery.taken = false
      if (delivery.slip) delivery.lane.waiting.unshift(delivery)
      else held.delete(delivery.packet)
    }
  }

  function roomFreed() {
    freed += 1
    blockedRank = nobody
  }

  function forget(window: AckWindow) {
    for (const delivery of held.values()) {
      if (delivery.slip?.window !== window) continue
      delivery.slip = undefined
      if (!delivery.taken) held.delete(delivery.packet)
    }
    for (const lane of lanes.values()) lane.waiting = lane.waiting.filter(({ slip }) => slip !== undefined)
  }
}

/** One of each lane in turn; the lanes rotate, so that the next take begins with another. */
function takeTurns(lanes: Lane[], most: number, taken: Delivery[]) {
  for (let idle = 0; taken.length < most && idle < lanes.length; ) {
    const lane = lanes.shift()!
    lanes.push(lane)
    const next = lane.waiting.shift()
    if (next) taken.push(next)
    idle = next ? 0 : idle + 1
  }
}

function ackAll(done: readonly Delivery[]) {
  for (const [window, tags] of Map.groupBy(
    done.flatMap(({ slip }) => (slip ? [slip] : [])),
    (slip) => slip.window,
  )) {
    window.ack(tags.map(({ tag }) => tag))
  }
}
