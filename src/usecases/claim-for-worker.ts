import type { Beat, LeasedWorkers } from '../domain/leased-worker.ts'
import { type ClaimedTask, type Outcome, outcomeOf } from '../domain/outcome.ts'
import { type PacketRef, packetLimit } from '../domain/packet.ts'
import type { Claim, Sleep, WorkerIdentity, WorkLedger } from '../domain/ports.ts'
import type { QueueStore } from '../domain/queue.ts'
import type { Tally } from '../domain/rollup.ts'
import { awaitingPackets } from './await-packets.ts'
import { alive } from './http-workers.ts'
import { type Way, waysInto } from './ways-in.ts'

export type ClaimForWorkerDeps = {
  workers: LeasedWorkers
  ledger: WorkLedger
  queues: Pick<QueueStore, 'gates'>
  announce: (packets: readonly PacketRef[]) => void
  tally: Pick<Tally, 'waited'>
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
/** So often a gate is looked at again that lets nothing through, for nobody tells when others have ended. */
const gateLookMs = 250
const shortestGateLookMs = 10
/** And so often, whether a queue is still paused. */
const pausedLookMs = 1_000

/**
 * Claiming by HTTP is claiming from the ledger, with a broker too: the message of a packet that was taken so names
 * nothing that anybody could take, and is acked in vain. Queues that are paused or limited are asked for through their
 * gates, as other workers do.
 */
export function claimingForWorkers(deps: ClaimForWorkerDeps): ClaimCases {
  const { workers, queues, sleep } = deps
  const packetsIn = awaitingPackets(deps)
  let turn = 0

  return {
    async claimTasks(workerId, { limit, waitMs }, signal) {
      const untilMs = performance.now() + waitMs
      for (let vainMs = 0; ; vainMs = Math.min(longestVainMs, Math.max(shortestVainMs, vainMs * 2))) {
        const [beat, gates] = await Promise.all([alive(workers, workerId), queues.gates()])
        const { ways, paused } = waysInto(beat.queues, gates, turn++)
        const { tasks, lookInMs } = await claimFor(deps, workerId, { beat, limit, ways })
        if (signal.aborted) return handBack(deps, workerId, tasks) // nobody is there to hear of them
        const leftMs = untilMs - performance.now()
        for (const task of tasks) deps.tally.waited(task)
        if (tasks.length > 0 || leftMs <= 0) return tasks
        // Never so long that the lease ends meanwhile.
        const mostMs = Math.min(lookInMs, paused > 0 ? pausedLookMs : lookInMs, beat.leaseMs / 3)
        await sleep(Math.min(vainMs, mostMs, leftMs), signal).catch(() => {})
        await packetsIn(beat.queues, Math.max(0, Math.min(mostMs, untilMs - performance.now())), signal)
      }
    },
  }
}

type Errand = { beat: Beat; limit: number; ways: readonly Way[] }
type Found = { tasks: ClaimedTask[]; lookInMs: number }

/** A suspect of a crash is alone with its worker: nothing is claimed beside it. */
async function claimFor(
  deps: ClaimForWorkerDeps,
  workerId: string,
  { beat, limit, ways }: Errand,
): Promise<Found> {
  const { types, concurrency, inHand, suspects } = beat
  const found: Found = { tasks: [], lookInMs: Number.POSITIVE_INFINITY }
  let room = suspects > 0 ? 0 : Math.min(limit, concurrency - inHand)
  const worker: WorkerIdentity = { id: workerId, types, packetLimit: packetLimit(concurrency) }
  for (const way of ways) {
    if (room <= 0) break
    const claim = await claimBy(deps, worker, { way, room })
    found.tasks.push(...claim.tasks)
    found.lookInMs = Math.min(found.lookInMs, lookAgainInMs(claim))
    room = claim.tasks.some(({ crashes }) => crashes > 0) ? 0 : room - claim.tasks.length
  }
  return { ...found, tasks: await apart(deps, workerId, { tasks: found.tasks, inHand }) }
}

type Step = { way: Way; room: number }

/** What was too large is cut, and the same way is taken once more. */
async function claimBy(
  deps: ClaimForWorkerDeps,
  worker: WorkerIdentity,
  { way, room }: Step,
): Promise<Claim> {
  const look = Math.min(mostPackets, room + 1)
  const claim = await deps.ledger.claim(worker, { room, look, ...way })
  await putOff(deps, worker.id, claim)
  if (claim.oversized.length === 0) return claim
  deps.announce(await deps.ledger.split(claim.oversized, worker.packetLimit))
  return claim.tasks.length > 0 ? claim : claimBy(deps, worker, { way, room })
}

/** What waits at a gate is in no packet that anybody could be told of. */
function lookAgainInMs({ gate }: Claim): number {
  if (!gate || (!gate.waits && gate.nextInMs === null)) return Number.POSITIVE_INFINITY
  return Math.min(gateLookMs, Math.max(shortestGateLookMs, gate.nextInMs ?? gateLookMs))
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
