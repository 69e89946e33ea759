import type { Claim } from '../domain/ports.ts'
import type { QueueGate } from '../domain/queue.ts'

const shortestWaitMs = 10
const longestWaitMs = 250
const never = Number.POSITIVE_INFINITY

/** A queue's gate as one worker sees it. */
type Lookout = {
  isPaused: boolean
  /** Its settings do not ask for a gate any more: it goes as soon as a look finds nothing. */
  isEnding: boolean
  /** Something of it was heard of after the last look began. */
  isRung: boolean
  /** What waits there: for room in this worker, or for others to end. */
  waits: 'blocked' | 'limited' | undefined
  nextAtMs: number
  waitMs: number
}

export type Lookouts = ReturnType<typeof gateLookouts>

/** When to look at which gate. A gate that lets nothing through is looked at at ever greater intervals, up to 250 ms. */
export function gateLookouts(served: readonly string[]) {
  const lookouts = new Map<string, Lookout>()

  return {
    use,
    takeDue,
    looked,
    has: (queue: string) => lookouts.has(queue),
    queues: () => [...lookouts.keys()],
    get size() {
      return lookouts.size
    },
    nextDueAtMs(): number {
      let next = never
      for (const { isPaused, nextAtMs } of lookouts.values()) if (!isPaused) next = Math.min(next, nextAtMs)
      return next
    },
    /** There may be something at any gate. */
    ring() {
      for (const lookout of lookouts.values()) ringAt(lookout)
    },
    /** What waits for this may go on. */
    ringWhere(waits: 'blocked' | 'limited') {
      for (const lookout of lookouts.values()) if (lookout.waits === waits) ringAt(lookout)
    },
    failed(queue: string) {
      const lookout = lookouts.get(queue)
      if (lookout) ringAt(lookout)
    },
  }

  function use(gates: readonly QueueGate[]): void {
    const now = new Map(gates.filter(({ queue }) => served.includes(queue)).map((gate) => [gate.queue, gate]))
    for (const [queue, { isPaused }] of now) {
      lookouts.set(queue, changed(lookouts.get(queue) ?? aLookout(), { isPaused, isEnding: false }))
    }
    for (const [queue, lookout] of lookouts) {
      if (!now.has(queue)) changed(lookout, { isPaused: false, isEnding: true })
    }
  }

  /** The queue that has been due for longest; it is being looked at from then on. */
  function takeDue(nowMs: number): string | undefined {
    let due: string | undefined
    let dueAtMs = nowMs
    for (const [queue, { isPaused, nextAtMs }] of lookouts) {
      if (isPaused || nextAtMs > dueAtMs) continue
      due = queue
      dueAtMs = nextAtMs
    }
    if (due !== undefined) Object.assign(lookouts.get(due)!, { isRung: false, nextAtMs: never })
    return due
  }

  function looked(queue: string, claim: Claim, nowMs: number): void {
    const lookout = lookouts.get(queue)
    if (!lookout) return
    const found = claim.packets.length > 0 || claim.oversized.length > 0
    const nextInMs = claim.gate ? claim.gate.nextInMs : found ? 0 : null
    if (claim.gate) lookout.waits = claim.gate.waits ? 'limited' : undefined
    else lookout.waits = claim.blocked.length > 0 ? 'blocked' : undefined
    const isEmpty = !found && !claim.gate && !lookout.waits
    if (lookout.isEnding && isEmpty && !lookout.isRung) lookouts.delete(queue)
    lookout.waitMs = found ? 0 : Math.min(longestWaitMs, Math.max(shortestWaitMs, lookout.waitMs * 2))
    const inMs = Math.min(nextInMs ?? never, Math.max(shortestWaitMs, lookout.waitMs))
    lookout.nextAtMs = lookout.isRung ? 0 : nowMs + inMs
  }
}

function aLookout(): Lookout {
  return { isPaused: false, isEnding: false, isRung: false, waits: undefined, nextAtMs: 0, waitMs: 0 }
}

function changed(lookout: Lookout, to: Pick<Lookout, 'isPaused' | 'isEnding'>): Lookout {
  if (lookout.isPaused !== to.isPaused || lookout.isEnding !== to.isEnding) ringAt(lookout)
  return Object.assign(lookout, to)
}

function ringAt(lookout: Lookout): void {
  lookout.isRung = true
  lookout.nextAtMs = 0
}
