import { StoreRefusedError } from '../domain/errors.ts'
import type { Failure, Outcome } from '../domain/outcome.ts'
import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Log, Sleep, WorkLedger } from '../domain/ports.ts'
import { defaultMaxAttempts } from '../domain/submission.ts'
import type { InHand } from './attempts-in-hand.ts'
import { reportTo } from './report.ts'
import type { Gather } from './submit.ts'

/** One part of a packet that is settled: an attempt with its outcome, or nothing that needs writing. */
export type Ending = { packet: PacketId; outcome?: Outcome }

export type FinishDeps = {
  ledger: Pick<WorkLedger, 'finish'>
  workerId: string
  hand: InHand
  /** Packets of tasks that were handed back. */
  announce: (packets: readonly PacketRef[]) => void
  /** One lane each, so that the endings of a packet, which keep to a lane, are written one after the other. */
  lanes: readonly Gather[]
  sleep: Sleep
  log: Log
}

const longestWaitMs = 2_000

/**
 * Writes endings, many in one statement, and lets a packet go with the last of its endings and never before: a packet
 * is what finds its tasks again. Resolves when the ending is on disk, however long the database is away.
 */
export function finishing(deps: FinishDeps): (ending: Ending) => Promise<void> {
  const lanes = deps.lanes.map((gather) =>
    gather((endings: Ending[]) => write(deps, endings), { sizeOf: weightOf }),
  )
  return (ending) => lanes[ending.packet % lanes.length]!(ending)
}

const charactersPerTask = 32_768

/** A large result counts for several tasks, so that what is gathered into a statement stays within some 16 MB. */
function weightOf({ outcome }: Ending): number {
  return 1 + (outcome?.status === 'completed' ? Math.floor(outcome.result.length / charactersPerTask) : 0)
}

async function write(deps: FinishDeps, endings: Ending[]): Promise<undefined[]> {
  const settled = deps.hand.settle(endings.map((ending) => ending.packet))
  const outcomes = endings.flatMap((ending) => (ending.outcome ? [ending.outcome] : []))
  if (outcomes.length > 0 || settled.length > 0) await store(deps, outcomes, settled)
  deps.hand.drop(settled)
  return endings.map(() => undefined)
}

async function store(deps: FinishDeps, outcomes: Outcome[], settled: readonly PacketId[]): Promise<void> {
  try {
    await untilAnswered(deps, outcomes, settled)
  } catch (error) {
    if (!(error instanceof StoreRefusedError)) throw error
    await storeApart(deps, outcomes, error)
    await untilAnswered(deps, [], settled)
  }
}

/** Repeats a statement whose answer was lost: behind the fence, a repeat changes nothing. */
async function untilAnswered(
  deps: FinishDeps,
  outcomes: Outcome[],
  settled: readonly PacketId[],
): Promise<void> {
  for (let waitMs = 50; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    try {
      return deps.announce(await deps.ledger.finish(deps.workerId, outcomes, settled))
    } catch (error) {
      if (error instanceof StoreRefusedError) throw error
      reportTo(deps.log, error, 'outcomes are not stored yet; trying again', { outcomes: outcomes.length })
      await deps.sleep(waitMs)
    }
  }
}

/** One bad value must not fail its neighbors: halves, until it is alone, and then it is that task's failure. */
async function storeApart(deps: FinishDeps, outcomes: Outcome[], refusal: StoreRefusedError): Promise<void> {
  if (outcomes.length === 1) return untilAnswered(deps, [refused(outcomes[0]!, refusal)], [])
  const middle = Math.ceil(outcomes.length / 2)
  for (const half of [outcomes.slice(0, middle), outcomes.slice(middle)]) await store(deps, half, [])
}

function refused(outcome: Outcome, { message }: StoreRefusedError): Outcome {
  const { task } = outcome
  const failure: Failure = { name: 'ResultError', message, attempt: task.attempt }
  const maxAttempts =
    'maxAttempts' in outcome ? outcome.maxAttempts : (task.maxAttempts ?? defaultMaxAttempts)
  return { task, status: 'failed', failure, maxAttempts }
}
