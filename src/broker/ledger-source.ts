import type { Claim, PacketSource, Sleep, Want } from '../domain/ports.ts'

const shortestWaitMs = 10
const longestWaitMs = 1_000
const mostPackets = 500

/**
 * The ledger as the queue: a worker looks for packets itself. Looks at once while it finds some; when it does not,
 * waits for a notice or for a time that grows to a second, so that an idle worker costs next to nothing and a lost
 * notice a second at most.
 */
export function ledgerSource(
  queues: readonly string[],
  sleep: Sleep,
): PacketSource & { wake(more?: boolean): void } {
  let waitMs = 0
  let isBlocked = false
  let isWoken = false
  let tasksPerPacket = 1
  let sleeping: AbortController | undefined
  let watched: AbortSignal | undefined

  return { next, claimed, failed: () => {}, roomFreed, wake }

  async function next(room: number, signal: AbortSignal): Promise<Want | undefined> {
    wakeAtEnd(signal)
    if (waitMs > 0 && !isWoken) await waitForNotice()
    isWoken = false
    if (signal.aborted) return undefined
    return { room, queues, look: Math.min(mostPackets, Math.ceil(room / tasksPerPacket) + 1) }
  }

  function wakeAtEnd(signal: AbortSignal): void {
    if (watched === signal) return
    watched = signal
    signal.addEventListener('abort', () => wake(), { once: true })
  }

  async function waitForNotice(): Promise<void> {
    sleeping = new AbortController()
    await sleep(waitMs, sleeping.signal).catch(() => {})
    sleeping = undefined
  }

  function claimed(_want: Want, claim: Claim): void {
    const found = claim.packets.length > 0 || claim.oversized.length > 0
    isBlocked = claim.blocked.length > 0
    waitMs = found ? 0 : Math.min(longestWaitMs, Math.max(shortestWaitMs, waitMs * 2))
    if (claim.packets.length > 0) tasksPerPacket = meanSize(claim)
  }

  /** There is a packet that did not fit: look again as soon as something may. */
  function roomFreed(): void {
    if (isBlocked) wake()
  }

  /** A notice that comes while a claim is under way counts for the next wait. `more` may come within milliseconds. */
  function wake(more = false): void {
    isWoken = true
    if (more) waitMs = 0
    sleeping?.abort()
    sleeping = undefined
  }
}

function meanSize({ packets }: Claim): number {
  return Math.max(1, packets.reduce((sum, packet) => sum + packet.size, 0) / packets.length)
}
