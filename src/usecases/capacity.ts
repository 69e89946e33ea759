import { type Capacity, expectedCapacity } from '../domain/packet.ts'
import type { WorkerRegistry } from '../domain/ports.ts'

const freshMs = 2_000

export type CapacityBook = {
  /** Who could take a queue's packets, as of a moment ago. Never waits. */
  capacityOf(queue: string): Capacity
  refresh(): Promise<void>
}

/** Remembers the live workers of each queue; looks again at most every 2 s, and only when somebody asks. */
export function capacityBook(registry: Pick<WorkerRegistry, 'capacities'>): CapacityBook {
  let capacities = new Map<string, Capacity>()
  let readAtMs = Number.NEGATIVE_INFINITY

  return {
    refresh,
    capacityOf(queue) {
      if (performance.now() - readAtMs > freshMs) void refresh().catch(() => {}) // an outage: what is known will do
      return capacities.get(queue) ?? expectedCapacity
    },
  }

  async function refresh(): Promise<void> {
    readAtMs = performance.now()
    capacities = await registry.capacities()
  }
}
