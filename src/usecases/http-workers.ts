import { TaskError } from '../domain/errors.ts'
import {
  asClaimed,
  type Beat,
  type LeasedWorker,
  type LeasedWorkers,
  type Trace,
} from '../domain/leased-worker.ts'
import { type ClaimedTask, type Outcome, outcomeOf, type Verdict } from '../domain/outcome.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { AttemptRef, WorkLedger } from '../domain/ports.ts'
import type { Tally } from '../domain/rollup.ts'
import type { Status } from '../domain/task.ts'

/** What workers that speak HTTP may ask for. All but registering fail with worker-not-found when the worker is given up. */
export type HttpWorkerCases = {
  registerWorker(worker: Omit<LeasedWorker, 'id'>): Promise<{ id: string; leaseMs: number }>
  /** Renews the lease. Answers which of the attempts that the worker names are not its own any more. */
  beatWorker(workerId: string, named: readonly AttemptRef[]): Promise<BeatAnswer>
  /** Records what became of attempts; each is accepted or refused by itself. In the order given. */
  finishTasks(workerId: string, endings: readonly WorkerEnding[]): Promise<EndingAnswer[]>
  /** Hands back what the worker still has, unspent, and forgets it. */
  leaveWorker(workerId: string): Promise<void>
}

export type BeatAnswer = { leaseMs: number; canceled: AttemptRef[]; lost: AttemptRef[] }
export type WorkerEnding = AttemptRef & { verdict: Verdict }
/** `status`: the task's now; null when there is no such task. */
export type EndingAnswer = AttemptRef & { accepted: boolean; status: Status | null }

export type HttpWorkerDeps = {
  workers: LeasedWorkers
  ledger: Pick<WorkLedger, 'finish' | 'held' | 'giveBack' | 'postpone'>
  newId: () => string
  tally: Pick<Tally, 'ran'>
  announce: (packets: readonly PacketRef[]) => void
}

/** A worker keeps nothing here: between two of its requests, which any process may answer, all is in the ledger. */
export function httpWorkers(deps: HttpWorkerDeps): HttpWorkerCases {
  const { workers, ledger, newId, announce } = deps
  return {
    async registerWorker(worker) {
      const id = newId()
      await workers.register({ ...worker, id })
      return { id, leaseMs: worker.leaseMs }
    },
    beatWorker: (workerId, named) => beat(deps, workerId, named),
    finishTasks: (workerId, endings) => finish(deps, workerId, endings),
    async leaveWorker(workerId) {
      await alive(workers, workerId)
      const packets = await ledger.held(workerId)
      if (packets.length > 0) announce(await ledger.giveBack(workerId, packets))
      await workers.leave(workerId)
    },
  }
}

/** What the ledger says of the worker, whose lease is renewed. */
export async function alive(workers: Pick<LeasedWorkers, 'beat'>, workerId: string): Promise<Beat> {
  const found = await workers.beat(workerId)
  if (found) return found
  const message = `there is no worker ${workerId}, or it was silent for longer than its lease; register again`
  throw new TaskError('worker-not-found', message)
}

async function beat(
  deps: HttpWorkerDeps,
  workerId: string,
  named: readonly AttemptRef[],
): Promise<BeatAnswer> {
  const { workers } = deps
  const { leaseMs } = await alive(workers, workerId)
  const traces = await workers.traces(workerId, named)
  const gone = traces.filter((trace) => !trace.isOpen)
  await takeUpLost(deps, workerId, { named, leaseMs })
  const known = new Set(traces.map(({ id }) => id))
  const missing = named.filter(({ id }) => !known.has(id))
  return {
    leaseMs,
    canceled: gone.filter(({ status }) => status === 'canceled').map(refOf),
    lost: [...gone.filter(({ status }) => status !== 'canceled').map(refOf), ...missing.map(refOf)],
  }
}

const refOf = ({ id, attempt }: AttemptRef): AttemptRef => ({ id, attempt })

type Known = { named: readonly AttemptRef[]; leaseMs: number }

/** What a claim took whose answer never arrived, or that was cut off before it had put off what its worker has not. */
async function takeUpLost(deps: HttpWorkerDeps, workerId: string, { named, leaseMs }: Known): Promise<void> {
  const { workers, ledger, announce } = deps
  const lost = await workers.unnamed(workerId, named, leaseMs)
  const outcomes = lost.map((open): Outcome => outcomeOf(asClaimed(open), { kind: 'interrupted' }))
  if (outcomes.length > 0) announce(await ledger.finish(workerId, outcomes, []))
  await workers.settle(workerId, { released: lost.map(({ id }) => id) })
  const old = await workers.heldFor(workerId, leaseMs)
  if (old.length === 0) return
  await ledger.postpone(workerId, old)
  await workers.settle(workerId, {})
}

/**
 * The outcomes first, then their packets, and last a look at what is there now: a repeat whose first answer was lost
 * is accepted like the first.
 */
async function finish(
  { workers, ledger, announce, tally }: HttpWorkerDeps,
  workerId: string,
  endings: readonly WorkerEnding[],
): Promise<EndingAnswer[]> {
  await alive(workers, workerId)
  const attempts = await workers.open(workerId, endings)
  const open = new Map(attempts.map((attempt) => [keyOf(attempt), asClaimed(attempt)]))
  for (const attempt of attempts) tally.ran(attempt, attempt.ranMs)
  const outcomes = endings.flatMap((ending) => outcomesOf(open, ending))
  if (outcomes.length > 0) announce(await ledger.finish(workerId, outcomes, []))
  await workers.settle(workerId, {
    among: endings.map(({ id }) => id),
    released: outcomes.filter(({ status }) => status === 'pending').map(({ task }) => task.id),
  })
  const traces = new Map((await workers.traces(workerId, endings)).map((trace) => [keyOf(trace), trace]))
  return endings.map((ending) => answerOf(ending, traces.get(keyOf(ending))))
}

const keyOf = ({ id, attempt }: AttemptRef) => `${id}:${attempt}`

/** Of an attempt that is named twice only the first ending counts. */
function outcomesOf(open: Map<string, ClaimedTask>, ending: WorkerEnding): Outcome[] {
  const task = open.get(keyOf(ending))
  return task && open.delete(keyOf(ending)) ? [outcomeOf(task, ending.verdict)] : []
}

function answerOf({ id, attempt, verdict }: WorkerEnding, trace: Trace | undefined): EndingAnswer {
  if (!trace) return { id, attempt, accepted: false, status: null }
  const isHandedBack = verdict.kind === 'interrupted' && !trace.isOpen && trace.status !== 'canceled'
  return { id, attempt, accepted: trace.recorded || isHandedBack, status: trace.status }
}
