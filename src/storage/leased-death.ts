import { asClaimed } from '../domain/leased-worker.ts'
import { type ClaimedTask, type Outcome, outcomeOf } from '../domain/outcome.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { Database } from './connection.ts'
import { finish } from './finish.ts'
import { leasedWorkers } from './leased-workers.ts'

/**
 * What ran under a worker that speaks HTTP is pending again, each task by itself and a suspect from now on. A suspect
 * that was alone is to blame, and its attempt has failed: such a worker runs no processes that may die in its place.
 */
export async function blame(database: Database, workerId: string): Promise<PacketRef[]> {
  const workers = leasedWorkers(database)
  const lost = (await workers.unnamed(workerId, [], 0)).map(asClaimed)
  const packets = await finish(database, workerId, { outcomes: outcomesOf(lost), settled: [] })
  await workers.settle(workerId, { released: lost.map(({ id }) => id) })
  return packets
}

function outcomesOf(lost: readonly ClaimedTask[]): Outcome[] {
  const [only] = lost
  if (lost.length > 1 || !only?.crashes)
    return lost.map((task): Outcome => ({ task, status: 'pending', crashed: true }))
  const message = 'the worker was lost while it ran this task and nothing else, not for the first time'
  const failure = { name: 'WorkerLostError', message, attempt: only.attempt }
  return [outcomeOf(only, { kind: 'failed', failure, retryable: true })]
}
