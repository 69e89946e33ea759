import type { ClaimedTask } from '../domain/outcome.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { Claim, Log, PacketSource, Sleep, Want, WorkerIdentity, WorkLedger } from '../domain/ports.ts'
import type { InHand } from './attempts-in-hand.ts'
import { reportTo } from './report.ts'
import type { Slots } from './slots.ts'

export type ClaimDeps = {
  ledger: Pick<WorkLedger, 'claim' | 'split' | 'lapsed'>
  source: PacketSource
  worker: WorkerIdentity
  slots: Slots
  hand: Pick<InHand, 'expect'>
  /** Takes the packets that were claimed; the slots are counted already. */
  take: (claim: Claim) => void
  /** Called when nobody knows whether a claim took something. */
  doubt: () => void
  /** Begins a task, or passes over one that is not this worker's any more. */
  start: (task: ClaimedTask, isLapsed: boolean) => void
  announce: (packets: readonly PacketRef[]) => void
  sleep: Sleep
  log: Log
}

const outageWaitMs = 200

/** Takes packets whenever slots are free, until `signal` aborts. */
export async function claimPackets(deps: ClaimDeps, signal: AbortSignal): Promise<void> {
  const { source, slots } = deps
  while (!signal.aborted) {
    await slots.free()
    const want = await source.next(slots.room(), signal)
    if (want) await claimAndStart(deps, { ...want, room: slots.room() }, signal)
  }
}

async function claimAndStart(deps: ClaimDeps, want: Want, signal: AbortSignal): Promise<void> {
  const ended = deps.hand.expect()
  const askedAtMs = performance.now()
  const claim = await claimOrWait(deps, want, signal)
  if (!claim) return ended()
  deps.source.claimed(want, claim)
  deps.slots.take(claim.tasks.length)
  deps.take(claim)
  await startAll(deps, claim.tasks, askedAtMs)
  ended()
  if (claim.oversized.length > 0) await split(deps, claim)
}

/** An answer that took longer may tell of tasks that were canceled since, or put back and run by another. */
const freshMs = 100
const mostLooks = 3

async function startAll(deps: ClaimDeps, tasks: readonly ClaimedTask[], askedAtMs: number): Promise<void> {
  let left = tasks
  for (let knownAtMs = askedAtMs; left.length > 0; ) {
    const lapsed = await lapsedSince(deps, left, knownAtMs)
    knownAtMs = performance.now()
    left = left.slice(startSome(deps, left, lapsed))
  }
}

/**
 * Handlers begin one after the other, and one that blocks the event loop makes the answer old for those behind it.
 * Answers how many tasks were started until then: one at least.
 */
function startSome({ start }: ClaimDeps, tasks: readonly ClaimedTask[], lapsed: ReadonlySet<string>): number {
  const untilMs = performance.now() + freshMs
  let started = 0
  for (const task of tasks) {
    start(task, lapsed.has(task.id))
    started += 1
    if (performance.now() > untilMs) break
  }
  return started
}

/** The tasks that are not this worker's any more. Asks only when the answer was old; each look may be, too. */
async function lapsedSince(
  { ledger, worker, sleep, log }: ClaimDeps,
  tasks: readonly ClaimedTask[],
  askedAtMs: number,
): Promise<Set<string>> {
  let lapsed = new Set<string>()
  let knownAtMs = askedAtMs
  for (let looks = 0; looks < mostLooks && tasks.length > 0 && performance.now() - knownAtMs > freshMs; ) {
    const lookedAtMs = performance.now()
    try {
      lapsed = new Set((await ledger.lapsed(worker.id, tasks)).map(({ id }) => id))
      knownAtMs = lookedAtMs
      looks += 1
    } catch (error) {
      reportTo(log, error, 'an old claim could not be looked at again; trying until it can')
      await sleep(outageWaitMs)
    }
  }
  return lapsed
}

/** Not repeated when its answer is lost: what it took is found by comparing with the ledger. */
async function claimOrWait(deps: ClaimDeps, want: Want, signal: AbortSignal): Promise<Claim | undefined> {
  try {
    return await deps.ledger.claim(deps.worker, want)
  } catch (error) {
    deps.source.failed(want)
    deps.doubt()
    reportTo(deps.log, error, 'no packets could be claimed; trying again')
    await deps.sleep(outageWaitMs, signal).catch(() => {})
  }
}

async function split({ ledger, worker, announce, log }: ClaimDeps, { oversized }: Claim): Promise<void> {
  try {
    announce(await ledger.split(oversized, worker.packetLimit))
  } catch (error) {
    reportTo(log, error, 'packets could not be split; they are offered again')
  }
}
