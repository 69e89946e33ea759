import type { ClaimedTask } from '../domain/outcome.ts'
import type { PacketId } from '../domain/packet.ts'
import type { AttemptRef } from '../domain/ports.ts'

/** What a worker has in hand: its attempts, and of each packet how much is still to be settled. */
export type InHand = ReturnType<typeof attemptsInHand>

export function attemptsInHand() {
  const open = new Map<PacketId, number>()
  const running = new Set<ClaimedTask>()
  const arriving = new Set<symbol>()
  let emptied: PromiseWithResolvers<void> | undefined

  return {
    /** Notes a claim that is under way. Call the answer when it has failed, or what it took is in hand. */
    expect(): () => void {
      const claim = Symbol('claim')
      arriving.add(claim)
      return () => void arriving.delete(claim)
    },
    /** The claims that are under way now. */
    arriving: (): ReadonlySet<symbol> => new Set(arriving),
    /** Takes a packet of which `parts` things have to be settled before it may go. */
    take(packet: PacketId, parts: number) {
      open.set(packet, parts)
    },
    /** Counts settled parts, an entry each; answers the packets of which nothing is left. Call `drop` when they are gone. */
    settle(packets: readonly PacketId[]): PacketId[] {
      const done: PacketId[] = []
      for (const packet of packets) {
        const left = (open.get(packet) ?? 0) - 1
        open.set(packet, left)
        if (left === 0) done.push(packet)
      }
      return done
    },
    drop(packets: readonly PacketId[]) {
      for (const packet of packets) open.delete(packet)
      if (open.size === 0) emptied?.resolve()
    },
    begin(task: ClaimedTask) {
      running.add(task)
    },
    end(task: ClaimedTask) {
      running.delete(task)
    },
    holds: (packet: PacketId) => open.has(packet),
    packets: () => [...open.keys()],
    attempts: (): AttemptRef[] => [...running].map(({ id, attempt }) => ({ id, attempt })),
    /** Those of them that are in hand. */
    among(attempts: readonly AttemptRef[]): AttemptRef[] {
      const asked = new Set(attempts.map(keyOf))
      return [...running].filter((task) => asked.has(keyOf(task)))
    },
    get size() {
      return running.size
    },
    /** Resolves when nothing is in hand. */
    empty(): Promise<void> {
      if (open.size === 0) return Promise.resolve()
      emptied ??= Promise.withResolvers<void>()
      return emptied.promise
    },
  }
}

function keyOf({ id, attempt }: AttemptRef): string {
  return `${id}:${attempt}`
}
