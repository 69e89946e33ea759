import type { Beat, LeasedWorkers } from '../domain/leased-worker.ts'
import { type ClaimedTask, type Outcome, outcomeOf } from '../domain/outcome.ts'
import { type PacketRef, packetLimit } from '../domain/packet.ts'
import type { Claim, Sleep, WorkerIdentity, WorkLedger } from '../domain/ports.ts'
import { awaitingPackets } from './await-packets.ts'
import { alive } from './http-workers.ts'

export type ClaimForWorkerDeps = {
  workers: LeasedWorkers
  ledger: WorkLedger
  announce: (packets: readonly PacketRef[]) => void
  sleep: Sleep
}

export type WorkerWish = { limit: number; waitMs: number }

export type ClaimCases = {
  /**
   * Starts up to `limit` tasks for a worker that speaks HTTP; when there are none, waits until there are, for `waitMs`
   * at most or until `signal` aborts. Fails with worker-not-found.
   */
  claimTasks(workerId: string, wish: WorkerWish, signal: AbortSignal): Promise<ClaimedTask[]>
}

const mostPackets = 100
const shortestVainMs = 50
const longestVainMs = 1_000

/**
 * Claiming by HTTP is claiming from the ledger, with a broker too: the message of a packet that was taken so names
 * nothing that anybody could take, and is acked in vain.
 */
export function claimingForWorkers(deps: ClaimForWorkerDeps): ClaimCases {
  const { workers, sleep } = deps
  const packetsIn = awaitingPackets(deps)

  return {
    async claimTasks(workerId, { limit, waitMs }, signal) {
      const untilMs = performance.now() + waitMs
      for (let vainMs = 0; ; vainMs = Math.min(longestVainMs, Math.max(shortestVainMs, vainMs * 2))) {
        const beat = await alive(workers, workerId)
        const tasks = await claimFor(deps, workerId, beat, limit)
        if (signal.aborted) return handBack(deps, workerId, tasks) // nobody is there to hear of them
        const leftMs = untilMs - performance.now()
        if (tasks.length > 0 || leftMs <= 0) return tasks
        // Never so long that the lease ends meanwhile.
        await sleep(Math.min(vainMs, leftMs), signal).catch(() => {})
        await packetsIn(
          beat.queues,
          Math.max(0, Math.min(beat.leaseMs / 3, untilMs - performance.now())),
          signal,
        )
      }
    },
  }
}

/** A suspect of a crash is alone with its worker: nothing is claimed beside it. */
async function claimFor(
  deps: ClaimForWorkerDeps,
  workerId: string,
  beat: Beat,
  limit: number,
): Promise<ClaimedTask[]> {
  const { types, queues, concurrency, inHand, suspects } = beat
  const room = Math.min(limit, concurrency - inHand)
  if (room <= 0 || suspects > 0) return []
  const worker: WorkerIdentity = { id: workerId, types, packetLimit: packetLimit(concurrency) }
  const claim = await deps.ledger.claim(worker, { room, queues, look: Math.min(mostPackets, room + 1) })
  await putOff(deps, workerId, claim)
  if (claim.oversized.length > 0) {
    deps.announce(await deps.ledger.split(claim.oversized, worker.packetLimit))
    if (claim.tasks.length === 0) return claimFor(deps, workerId, beat, limit)
  }
  return apart(deps, workerId, { tasks: claim.tasks, inHand })
}

/** What is of a type that the worker does not have goes back into the schedule; packets that started nothing go. */
async function putOff(
  { ledger, workers }: ClaimForWorkerDeps,
  workerId: string,
  { packets }: Claim,
): Promise<void> {
  const incomplete = packets.filter(({ started, size }) => started < size).map(({ id }) => id)
  if (incomplete.length === 0) return
  await ledger.postpone(workerId, incomplete)
  await workers.settle(workerId, {})
}

/** Of suspects a worker gets one, and only when it has nothing else: until then it gets nothing, so that it has. */
async function apart(
  deps: ClaimForWorkerDeps,
  workerId: string,
  { tasks, inHand }: { tasks: ClaimedTask[]; inHand: number },
): Promise<ClaimedTask[]> {
  const suspects = tasks.filter(({ crashes }) => crashes > 0)
  if (suspects.length === 0 || tasks.length + inHand === 1) return tasks
  const kept = inHand === 0 ? suspects.slice(0, 1) : []
  await handBack(
    deps,
    workerId,
    tasks.filter((task) => !kept.includes(task)),
  )
  return kept
}

async function handBack(
  { ledger, workers, announce }: ClaimForWorkerDeps,
  workerId: string,
  tasks: readonly ClaimedTask[],
): Promise<ClaimedTask[]> {
  if (tasks.length === 0) return []
  const outcomes = tasks.map((task): Outcome => outcomeOf(task, { kind: 'interrupted' }))
  announce(await ledger.finish(workerId, outcomes, []))
  const ids = tasks.map(({ id }) => id)
  await workers.settle(workerId, { among: ids, released: ids })
  return []
}
