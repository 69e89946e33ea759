import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Runner, Sleep, WorkLedger } from '../domain/ports.ts'
import type { InHand } from './attempts-in-hand.ts'

export type ReconcileDeps = {
  ledger: Pick<WorkLedger, 'held' | 'giveBack' | 'lapsed'>
  runner: Pick<Runner, 'abort'>
  workerId: string
  hand: InHand
  announce: (packets: readonly PacketRef[]) => void
}

/**
 * Compares what a worker has in hand with what the ledger says: packets of a claim whose answer was lost go back, and
 * attempts that are not this worker's any more are aborted. To be called now and then, and after a lost connection.
 */
export function reconciling(deps: ReconcileDeps): () => Promise<void> {
  const { ledger, runner, workerId, hand, announce } = deps
  let before = { unknown: new Set<PacketId>(), arriving: hand.arriving() }

  return async () => {
    await giveBackUnknown()
    await abortLapsed()
  }

  /** Seen twice, and no claim was under way all the time between, so it is not a packet that is just arriving. */
  async function giveBackUnknown(): Promise<void> {
    const unknown = (await ledger.held(workerId)).filter((packet) => !hand.holds(packet))
    const arriving = hand.arriving()
    const mayArrive = [...arriving].some((claim) => before.arriving.has(claim))
    const lost = mayArrive ? [] : unknown.filter((packet) => before.unknown.has(packet))
    before = { unknown: new Set(unknown), arriving }
    if (lost.length > 0) announce(await ledger.giveBack(workerId, lost))
  }

  async function abortLapsed(): Promise<void> {
    const attempts = hand.attempts()
    if (attempts.length === 0) return
    for (const { id, attempt } of await ledger.lapsed(workerId, attempts)) runner.abort(id, attempt, 'lost')
  }
}

const looksAfterDoubt = 2
const lookAgainMs = 1_000

/**
 * What to call when a claim was not answered: compares twice, a second apart, instead of at the next occasion, so
 * that what the claim has taken is soon another's. A look that fails is repeated until the database is back.
 */
export function doubting(reconcile: () => Promise<void>, sleep: Sleep, signal: AbortSignal): () => void {
  let left = 0
  return () => {
    const isLooking = left > 0
    left = looksAfterDoubt
    if (!isLooking) void look()
  }

  async function look() {
    while (left > 0) {
      await sleep(lookAgainMs, signal).catch(() => {})
      if (signal.aborted) return
      left -= await reconcile().then(
        () => 1,
        () => 0,
      )
    }
  }
}
