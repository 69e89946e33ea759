import type { PacketRef } from '../domain/packet.ts'
import type { Claim, Log, PacketSource, Sleep, Want, WorkerIdentity, WorkLedger } from '../domain/ports.ts'
import { reportTo } from './report.ts'
import type { Slots } from './slots.ts'

export type ClaimDeps = {
  ledger: Pick<WorkLedger, 'claim' | 'split'>
  source: PacketSource
  worker: WorkerIdentity
  slots: Slots
  /** Takes what was claimed; the slots are counted already. */
  start: (claim: Claim) => void
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
  const claim = await claimOrWait(deps, want, signal)
  if (!claim) return
  deps.source.claimed(want, claim)
  deps.slots.take(claim.tasks.length)
  deps.start(claim)
  if (claim.oversized.length > 0) await split(deps, claim)
}

/** Not repeated when its answer is lost: what it took is found by reconciling. */
async function claimOrWait(deps: ClaimDeps, want: Want, signal: AbortSignal): Promise<Claim | undefined> {
  try {
    return await deps.ledger.claim(deps.worker, want)
  } catch (error) {
    deps.source.failed(want)
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
