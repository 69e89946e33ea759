import type { Claim, PacketSource, Sleep, Want } from '../domain/ports.ts'

/** When to look after a notice: others may commit beside the transaction that sent it, and send none. */
const looksAfterMs = [0, 15, 60]
const mostPackets = 100

/**
 * A source of messages that a notice sends to the ledger itself, for packets that nobody offers to the relay: those of
 * submissions in SQL. The relay finds them too, but only after a second look, in about a second.
 */
export function wakeableSource(
  messages: PacketSource,
  queues: readonly string[],
  sleep: Sleep,
): PacketSource & { wake(): void } {
  let isWoken = false
  let notices = 0
  let waiting = new AbortController()
  let watched: AbortSignal | undefined

  return { ...messages, next, claimed, failed, wake }

  async function next(room: number, signal: AbortSignal): Promise<Want | undefined> {
    if (signal.aborted) return undefined
    endWith(signal)
    if (!isWoken) {
      if (waiting.signal.aborted) waiting = new AbortController() // by the signal of an earlier call
      const want = await messages.next(room, waiting.signal)
      if (want || !isWoken) return want
    }
    if (signal.aborted) return undefined
    isWoken = false
    waiting = new AbortController()
    return { room, queues, look: Math.min(mostPackets, room), unsent: true }
  }

  function endWith(signal: AbortSignal): void {
    if (watched === signal) return
    watched = signal
    signal.addEventListener('abort', () => waiting.abort(), { once: true })
  }

  function claimed(want: Want, claim: Claim): void {
    if (!('queues' in want)) messages.claimed(want, claim)
    else if (claim.packets.length === want.look) look() // there may be more
  }

  function failed(want: Want): void {
    if (!('queues' in want)) messages.failed(want)
  }

  function wake(): void {
    const notice = ++notices
    void lookAfter(notice)
  }

  async function lookAfter(notice: number): Promise<void> {
    for (const ms of looksAfterMs) {
      if (ms > 0) await sleep(ms)
      if (notice !== notices) return // a later notice looks, too
      look()
    }
  }

  function look(): void {
    isWoken = true
    waiting.abort()
  }
}
