import type { Claim, PacketSource, Want } from '../domain/ports.ts'
import type { QueueGate } from '../domain/queue.ts'
import { gateLookouts, type Lookouts } from './gate-lookouts.ts'

/** So often the other queues are looked at, however busy the gates are. */
const plainLookMs = 1_000

export type GatedSource = PacketSource & {
  /** The queues that are paused or limited now. */
  use(gates: readonly QueueGate[]): void
  /** There may be work anywhere; `more`: some that nobody is sent a message of. */
  wake(more?: boolean): void
}

type Source = PacketSource & { wake?: (more?: boolean) => void }

/**
 * Puts the queues that are paused or limited behind gates. What waits in them is looked for in the ledger, whichever
 * transport there is: a message of such a queue is dropped, and is a reason to look. All others are left to `source`,
 * and while there is no gate, so is everything.
 */
export function gatedSource(source: Source, served: readonly string[]): GatedSource {
  const gates = gateLookouts(served)
  const wait = interruptibleWait()
  let isPlainsTurn = false
  let lookedAtMs = performance.now()

  return { next, claimed, failed, roomFreed, stored, use, wake }

  /** Gates and the other queues take turns. */
  async function next(room: number, signal: AbortSignal): Promise<Want | undefined> {
    while (!signal.aborted) {
      const queue = isPlainsTurn ? undefined : gates.takeDue(performance.now())
      isPlainsTurn = queue !== undefined
      if (queue !== undefined) return { room, gate: queue }
      const want = await plainWant(room, signal)
      if (want) return want
    }
    return undefined
  }

  /** Asks the source, no longer than until the next gate is due. */
  async function plainWant(room: number, signal: AbortSignal): Promise<Want | undefined> {
    if (gates.size > 0 && performance.now() - lookedAtMs > plainLookMs) source.wake?.()
    const want = await wait.until(gates.nextDueAtMs(), signal, (interrupted) =>
      source.next(room, interrupted),
    )
    if (want) lookedAtMs = performance.now()
    return want && withoutGates(want, gates, source)
  }

  function claimed(want: Want, claim: Claim): void {
    if ('gate' in want) gates.looked(want.gate, claim, performance.now())
    else source.claimed(want, claim)
    if ('packets' in want && want.without && handled(claim) < want.packets.length) gates.ring()
  }

  function failed(want: Want): void {
    if ('gate' in want) gates.failed(want.gate)
    else source.failed(want)
  }

  function roomFreed(): void {
    source.roomFreed()
    ringWhere('blocked')
  }

  function stored(): void {
    ringWhere('limited')
  }

  function ringWhere(waits: 'blocked' | 'limited'): void {
    if (gates.size === 0) return
    gates.ringWhere(waits)
    if (gates.nextDueAtMs() === 0) wait.interrupt()
  }

  function use(settings: readonly QueueGate[]): void {
    gates.use(settings)
    if (gates.nextDueAtMs() === 0) wait.interrupt()
  }

  function wake(more?: boolean): void {
    source.wake?.(more)
    if (gates.size === 0) return
    gates.ring()
    wait.interrupt()
  }
}

const nothing: Claim = { tasks: [], packets: [], oversized: [], blocked: [] }

const handled = ({ packets, blocked, oversized }: Claim) => packets.length + blocked.length + oversized.length

function withoutGates(want: Want, gates: Lookouts, source: Source): Want | undefined {
  if (gates.size === 0) return want
  if ('packets' in want) return { ...want, without: gates.queues() }
  if (!('queues' in want)) return want
  const queues = want.queues.filter((queue) => !gates.has(queue))
  if (queues.length > 0) return { ...want, queues }
  source.claimed(want, nothing)
  return undefined
}

/** Waits that can be cut short, and never begin interrupted: one signal serves until it was used. */
function interruptibleWait() {
  let interruption = new AbortController()
  let watched: AbortSignal | undefined
  let isWaiting = false

  return { until, interrupt }

  async function until<T>(
    atMs: number,
    signal: AbortSignal,
    wait: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (watched !== signal) signal.addEventListener('abort', interrupt, { once: true })
    watched = signal
    if (interruption.signal.aborted) interruption = new AbortController()
    const callOff = interruptAt(atMs)
    isWaiting = true
    try {
      return await wait(interruption.signal)
    } finally {
      isWaiting = false
      callOff()
    }
  }

  function interrupt(): void {
    if (isWaiting) interruption.abort()
  }

  function interruptAt(atMs: number): () => void {
    if (atMs === Number.POSITIVE_INFINITY) return () => {}
    const ms = atMs - performance.now()
    if (ms > 0) {
      const timer = setTimeout(interrupt, ms)
      return () => clearTimeout(timer)
    }
    const soon = setImmediate(interrupt)
    return () => clearImmediate(soon)
  }
}
