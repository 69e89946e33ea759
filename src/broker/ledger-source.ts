import type { Claim, PacketSource, Sleep, Want } from '../domain/ports.ts'

const shortestWaitMs = 25
const longestWaitMs = 1_000
const mostPackets = 500

/**
 * The ledger as the queue: a worker looks for packets itself. Looks at once while it finds some; when it does not,
 * waits for a notice or for a time that grows to a second, so that an idle worker costs next to nothing and a lost
 * notice a second at most.
 */
export function ledgerSource(queues: readonly string[], sleep: Sleep): PacketSource & { wake(): void } {
  let waitMs = 0
  let blocked = false
  let tasksPerPacket = 1
  let interrupt = new AbortController()
  let stop: AbortSignal | undefined

  return { next, claimed, failed: () => {}, roomFreed, wake }

  async function next(room: number, signal: AbortSignal): Promise<Want | undefined> {
    if (stop !== signal) {
      stop = signal
      signal.addEventListener('abort', wake, { once: true })
    }
    if (waitMs > 0) await sleep(waitMs, interrupt.signal).catch(() => {})
    interrupt = new AbortController()
    if (signal.aborted) return undefined
    const look = Math.min(mostPackets, Math.ceil(room / tasksPerPacket) + 1)
    return { room, queues, look }
  }

  function claimed(_want: Want, claim: Claim): void {
    const found = claim.packets.length > 0 || claim.oversized.length > 0
    blocked = claim.blocked.length > 0
    waitMs = found ? 0 : Math.min(longestWaitMs, Math.max(shortestWaitMs, waitMs * 2))
    if (claim.packets.length > 0) tasksPerPacket = meanSize(claim)
  }

  /** There is a packet that did not fit: look again as soon as something may. */
  function roomFreed(): void {
    if (blocked) wake()
  }

  function wake(): void {
    waitMs = 0
    interrupt.abort()
  }
}

function meanSize({ packets }: Claim): number {
  return Math.max(1, packets.reduce((sum, packet) => sum + packet.size, 0) / packets.length)
}
