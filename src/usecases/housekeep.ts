import type { PacketRef } from '../domain/packet.ts'
import type { Log, Sleep, Upkeep } from '../domain/ports.ts'
import { reportTo } from './report.ts'

export type HousekeepDeps = {
  upkeep: Upkeep
  /** Packets that are new or unclaimed again: for the relay, or to wake workers. */
  announce: (packets: readonly PacketRef[]) => void
  packetSize: number
  retentionDays: number
  /** Further rounds, each with what it does; a round answers how long to wait for the next. */
  rounds?: readonly { what: string; round: () => Promise<number> }[]
  sleep: Sleep
  log: Log
}

/** A worker whose heart has not beaten for this long is dead: three beats, and its tasks start again within 15 s. */
export const leaseMs = 12_000

const promoteEveryMs = 500
const promoteAgainMs = 10
const promoteAtOnce = 1_000
const sweepEveryMs = 700
/** How soon to look again when a worker is missing: it has this long to take its lock again. */
const sweepAgainMs = 300
const countEveryMs = 5_000
const foldEveryMs = 60_000
const forgetEveryMs = 30_000
const listenersEveryMs = 500
const retireEveryMs = 600_000
/** Each try keeps everybody from writing for as long as it waits for a transaction that stays open. */
const partitionsAgainMs = 30_000

/** Runs the housekeeping of the ledger until `signal` aborts. Every process may: each round is safe to do twice. */
export async function housekeep(deps: HousekeepDeps, signal: AbortSignal): Promise<void> {
  const { upkeep, retentionDays, rounds = [] } = deps
  await Promise.all([
    loop('promoting due tasks', () => promoteDue(deps)),
    loop('sweeping', sweeping(deps)),
    loop('sampling counts', () => upkeep.sampleCounts().then(() => countEveryMs)),
    loop('looking for listeners', () => upkeep.lookForListeners().then(() => listenersEveryMs)),
    loop('forgetting moves', () => upkeep.forgetMoves().then(() => forgetEveryMs)),
    loop('folding counters', () => upkeep.foldCounters().then(() => foldEveryMs)),
    loop('keeping partitions', () => keepPartitions(), partitionsAgainMs),
    ...rounds.map(({ what, round }) => loop(what, round)),
  ])

  async function keepPartitions(): Promise<number> {
    await upkeep.keepPartitions(retentionDays)
    await upkeep.retire(retentionDays)
    return retireEveryMs
  }

  /** Each round answers how long to wait for the next; a round that fails is tried again. */
  async function loop(what: string, round: () => Promise<number>, againMs = 1_000): Promise<void> {
    let failing = false
    while (!signal.aborted) {
      const waitMs = await round().catch((error) => {
        if (!failing) reportTo(deps.log, error, `${what} failed; trying again until it works`)
        failing = true
        return -1
      })
      if (waitMs >= 0) failing = false
      await deps.sleep(waitMs >= 0 ? waitMs : againMs, signal).catch(() => {})
    }
  }
}

async function promoteDue({ upkeep, announce, packetSize }: HousekeepDeps): Promise<number> {
  const { packets, nextInMs } = await upkeep.promote(promoteAtOnce, packetSize)
  announce(packets)
  // What is due and did not move is just being moved by somebody else: no reason to hurry.
  const soonestMs = packets.length > 0 ? 0 : promoteAgainMs
  return Math.max(soonestMs, Math.min(promoteEveryMs, nextInMs ?? promoteEveryMs))
}

/** After an outage of its own a sweeper waits one lease before it judges anyone: everybody's locks were lost with its own. */
function sweeping({ upkeep, announce, log }: HousekeepDeps): () => Promise<number> {
  let judgeFromMs = 0
  return async () => {
    try {
      const mayJudge = performance.now() >= judgeFromMs
      const { workers, packets, again } = await upkeep.sweep(leaseMs, mayJudge)
      announce(packets)
      for (const workerId of workers) log.warn({ workerId }, 'worker is gone; its tasks are pending again')
      return again ? sweepAgainMs : sweepEveryMs
    } catch (error) {
      judgeFromMs = performance.now() + leaseMs
      throw error
    }
  }
}
