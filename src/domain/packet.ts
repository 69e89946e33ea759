import type { NewTask } from './submission.ts'
import type { Priority } from './task.ts'

/** The ledger's number of a packet: a bigint in PostgreSQL, far below 2^53 in any lifetime. */
export type PacketId = number

/** Where a packet of tasks waits; what a message carries. */
export type PacketRef = { id: PacketId; queue: string; priority: Priority }

/** Who could take a queue's packets now. */
export type Capacity = { workers: number; smallestConcurrency: number }

/** A worker is expected, with the default CONCURRENCY, when none is known yet. */
export const expectedCapacity: Capacity = { workers: 1, smallestConcurrency: 1000 }

const largestPacket = 100
const idleShare = 16

/** The largest packet that leaves at most 1/16 of a worker's slots idle while it waits for room. */
export function packetLimit(concurrency: number): number {
  return Math.max(1, Math.min(largestPacket, Math.floor(concurrency / idleShare)))
}

/** How many of `tasks` tasks go into one packet: an even share for each worker, within every worker's limit. */
export function packetSize(tasks: number, { workers, smallestConcurrency }: Capacity): number {
  return Math.max(1, Math.min(packetLimit(smallestConcurrency), Math.ceil(tasks / Math.max(1, workers))))
}

/** A run of neighbors in a list of tasks, both ends included. */
export type PacketRange = { queue: string; priority: Priority; first: number; last: number }

/**
 * Orders tasks so that those of a queue and priority stand together, keeping the order within, and cuts them
 * into packets.
 */
export function pack(
  tasks: readonly NewTask[],
  capacityOf: (queue: string) => Capacity,
): { tasks: NewTask[]; packets: PacketRange[] } {
  const ordered: NewTask[] = []
  const packets: PacketRange[] = []
  for (const lot of lots(tasks)) {
    const { queue, priority } = lot[0]!
    const size = packetSize(lot.length, capacityOf(queue))
    for (let at = 0; at < lot.length; at += size) {
      const first = ordered.length + at
      packets.push({ queue, priority, first, last: Math.min(first + size, ordered.length + lot.length) - 1 })
    }
    ordered.push(...lot)
  }
  return { tasks: ordered, packets }
}

function lots(tasks: readonly NewTask[]): Iterable<NewTask[]> {
  const byPlace = new Map<string, NewTask[]>()
  for (const task of tasks) {
    const place = `${task.priority} ${task.queue}`
    const lot = byPlace.get(place)
    if (lot) lot.push(task)
    else byPlace.set(place, [task])
  }
  return byPlace.values()
}
