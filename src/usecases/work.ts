import { type ClaimedTask, outcomeOf } from '../domain/outcome.ts'
import type { PacketId, PacketRef } from '../domain/packet.ts'
import type {
  AttemptRef,
  Claim,
  Log,
  PacketSource,
  Runner,
  Sleep,
  WorkerIdentity,
  WorkLedger,
} from '../domain/ports.ts'
import type { Tally } from '../domain/rollup.ts'
import { attemptsInHand, type InHand } from './attempts-in-hand.ts'
import { claimPackets } from './claim.ts'
import { type Ending, finishing } from './finish.ts'
import { doubting, reconciling } from './reconcile.ts'
import { reportTo } from './report.ts'
import { openSlots, type Slots } from './slots.ts'
import type { Gather } from './submit.ts'

export type WorkDeps = {
  ledger: WorkLedger
  source: PacketSource
  runner: Runner
  worker: WorkerIdentity
  /** Slots: tasks that run at once. */
  concurrency: number
  /** Packets that are new or unclaimed again: for the relay, or to wake workers. */
  announce: (packets: readonly PacketRef[]) => void
  lanes: readonly Gather[]
  tally: Tally
  sleep: Sleep
  log: Log
}

export type Work = {
  running(): number
  /** Ends these attempts as far as they are in hand: their tasks were canceled. */
  cancel(attempts: readonly AttemptRef[]): void
  /** Compares what is in hand with what the ledger says; to be called now and then, and after a lost connection. */
  reconcile(): Promise<void>
  /** Takes no more, waits for what runs up to `graceMs`, hands the rest back unspent. Resolves when nothing is left. */
  stop(graceMs: number): Promise<void>
}

/** A worker at work: packets are claimed as slots come free, and each task is carried to its outcome. */
export function startWork(deps: WorkDeps): Work {
  const { runner, source } = deps
  const workerId = deps.worker.id
  const hand = attemptsInHand()
  const slots = openSlots(deps.concurrency, source.roomFreed)
  const finish = finishing({ ...deps, workerId, hand })
  const bench: Bench = { ...deps, hand, slots, finish }
  const stopping = new AbortController()
  const reconcile = reconciling({ ...deps, workerId, hand })
  const claims = claimPackets(
    {
      ...deps,
      slots,
      hand,
      take({ packets }) {
        for (const packet of packets) hold(bench, packet)
      },
      doubt: doubting(reconcile, deps.sleep, stopping.signal),
      start: (task, isLapsed) => void (isLapsed ? passOver : workTask)(bench, task),
    },
    stopping.signal,
  )
  return {
    running: slots.running,
    reconcile,
    cancel(attempts) {
      for (const { id, attempt } of hand.among(attempts)) runner.abort(id, attempt, 'canceled')
    },
    async stop(graceMs) {
      stopping.abort()
      slots.close()
      await claims
      await drain(bench, graceMs)
    },
  }
}

type Bench = WorkDeps & { hand: InHand; slots: Slots; finish: (ending: Ending) => Promise<void> }

/** It was canceled, or is somebody else's, before it could begin here. */
async function passOver({ finish, slots, source }: Bench, { packet }: ClaimedTask): Promise<void> {
  slots.end()
  await finish({ packet })
  slots.give()
  source.stored?.()
}

/** The story of one task in a worker: its slot is taken, it is claimed; attempt, finish, and the slot is free again. */
async function workTask(
  { hand, runner, finish, slots, source, tally }: Bench,
  task: ClaimedTask,
): Promise<void> {
  hand.begin(task)
  tally.waited(task)
  const startedAtMs = performance.now()
  const verdict = await runner.run(task)
  if (verdict.kind !== 'interrupted') tally.ran(task, performance.now() - startedAtMs)
  slots.end()
  await finish({ packet: task.packet, outcome: outcomeOf(task, verdict) })
  hand.end(task)
  slots.give()
  source.stored?.()
}

/** A packet with fewer starts than tasks has some that were canceled, or of a type that nobody here serves. */
function hold(bench: Bench, { id, started, size }: Claim['packets'][number]): void {
  const incomplete = started < size
  bench.hand.take(id, started + (incomplete ? 1 : 0))
  if (incomplete) void postpone(bench, id)
}

const outageWaitMs = 200

/** The packet must not go before its pending tasks are in the schedule. */
async function postpone(bench: Bench, packet: PacketId): Promise<void> {
  for (;;) {
    try {
      await bench.ledger.postpone(bench.worker.id, [packet])
      return await bench.finish({ packet })
    } catch (error) {
      reportTo(bench.log, error, 'tasks that nobody here serves could not be put off; trying again')
      await bench.sleep(outageWaitMs)
    }
  }
}

async function drain(
  { hand, runner, ledger, worker, announce, sleep }: Bench,
  graceMs: number,
): Promise<void> {
  const enough = new AbortController()
  await Promise.race([hand.empty(), sleep(graceMs, enough.signal).catch(() => {})])
  enough.abort()
  for (const { id, attempt } of hand.attempts()) runner.abort(id, attempt, 'shutdown')
  await hand.empty()
  const left = await ledger.held(worker.id)
  if (left.length > 0) announce(await ledger.giveBack(worker.id, left))
}
