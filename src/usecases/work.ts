import { StoreUnavailableError } from '../domain/errors.ts'
import { type ClaimedTask, outcomeOf } from '../domain/outcome.ts'
import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Claim, Log, PacketSource, Runner, Sleep, Want, WorkerIdentity, WorkLedger } from '../domain/ports.ts'
import { attemptsInHand } from './attempts-in-hand.ts'
import { type Ending, finishing } from './finish.ts'
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
  sleep: Sleep
  log: Log
}

export type Work = {
  running(): number
  /** Ends the attempts of these tasks, which were canceled. */
  cancel(ids: readonly string[]): void
  /** Compares what is in hand with what the ledger says; to be called now and then, and after a lost connection. */
  reconcile(): Promise<void>
  /** Takes no more, waits for what runs up to `graceMs`, hands the rest back unspent. Resolves when nothing is left. */
  stop(graceMs: number): Promise<void>
}

/** The worker: slot, claim, attempt, finish. Batching is at the edges; this reads as the story of one task. */
export function startWork(deps: WorkDeps): Work {
  const hand = attemptsInHand()
  const finish = finishing({ ...deps, workerId: deps.worker.id, hand })
  const stopping = new AbortController()
  const slots = slotGate(deps.concurrency, deps.source)
  const claims = claimLoop()
  let unclaimed = new Set<PacketId>()

  return { running: () => hand.size, cancel, reconcile, stop }

  async function claimLoop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await slots.free()
      const want = await deps.source.next(slots.room(), stopping.signal)
      if (want) await claimAndStart({ ...want, room: slots.room() })
    }
  }

  async function claimAndStart(want: Want): Promise<void> {
    const claim = await claimOrWait(want)
    if (!claim) return
    deps.source.claimed(want, claim)
    slots.take(claim.tasks.length)
    for (const packet of claim.packets) hold(packet)
    for (const task of claim.tasks) void workTask(task)
    if (claim.oversized.length > 0) await split(claim.oversized)
  }

  async function claimOrWait(want: Want): Promise<Claim | undefined> {
    try {
      return await deps.ledger.claim(deps.worker, want)
    } catch (error) {
      deps.source.failed(want)
      report(error, 'no packets could be claimed; trying again')
      await deps.sleep(outageWaitMs, stopping.signal).catch(() => {})
    }
  }

  /** Carries one claimed task to its recorded outcome. */
  async function workTask(task: ClaimedTask): Promise<void> {
    hand.begin(task)
    const verdict = await deps.runner.run(task)
    await finish({ packet: task.packet, outcome: outcomeOf(task, verdict) })
    hand.end(task)
    slots.give()
  }

  /** A packet with fewer starts than tasks has some that were canceled, or of a type that nobody here serves. */
  function hold({ id, started, size }: Claim['packets'][number]) {
    const incomplete = started < size
    hand.take(id, started + (incomplete ? 1 : 0))
    if (incomplete) void postpone(id)
  }

  async function postpone(packet: PacketId): Promise<void> {
    await untilAnswered(() => deps.ledger.postpone(deps.worker.id, [packet]))
    const ending: Ending = { packet }
    await finish(ending)
  }

  async function untilAnswered(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        report(error, 'the ledger did not answer; trying again')
        await deps.sleep(outageWaitMs)
      }
    }
  }

  async function split(packets: readonly PacketId[]): Promise<void> {
    try {
      deps.announce(await deps.ledger.split(packets, deps.worker.packetLimit))
    } catch (error) {
      report(error, 'packets could not be split; they are offered again')
    }
  }

  function cancel(ids: readonly string[]): void {
    for (const { id, attempt } of hand.attemptsOf(new Set(ids))) deps.runner.abort(id, attempt, 'canceled')
  }

  async function reconcile(): Promise<void> {
    const held = await deps.ledger.held(deps.worker.id)
    await giveBackUnknown(held)
    await abortLapsed()
  }

  /** A claim whose answer was lost holds packets that nobody runs. Seen twice, so it is not one that just arrives. */
  async function giveBackUnknown(held: readonly PacketId[]): Promise<void> {
    const unknown = held.filter((packet) => !hand.holds(packet))
    const lost = unknown.filter((packet) => unclaimed.has(packet))
    unclaimed = new Set(unknown)
    if (lost.length > 0) deps.announce(await deps.ledger.giveBack(deps.worker.id, lost))
  }

  async function abortLapsed(): Promise<void> {
    const attempts = hand.attempts()
    if (attempts.length === 0) return
    for (const { id, attempt } of await deps.ledger.lapsed(deps.worker.id, attempts)) {
      deps.runner.abort(id, attempt, 'lost')
    }
  }

  async function stop(graceMs: number): Promise<void> {
    stopping.abort()
    slots.close()
    await claims
    const enough = new AbortController()
    await Promise.race([hand.empty(), deps.sleep(graceMs, enough.signal).catch(() => {})])
    enough.abort()
    for (const { id, attempt } of hand.attempts()) deps.runner.abort(id, attempt, 'shutdown')
    await hand.empty()
    deps.announce(await deps.ledger.giveBack(deps.worker.id, await deps.ledger.held(deps.worker.id)))
  }

  function report(error: unknown, message: string): void {
    deps.log[error instanceof StoreUnavailableError ? 'warn' : 'error']({ err: error }, message)
  }
}

const outageWaitMs = 200

/** Counts the slots, and lets the claim loop wait for one. */
function slotGate(concurrency: number, source: Pick<PacketSource, 'roomFreed'>) {
  let taken = 0
  let closed = false
  let freed = () => {}

  return {
    room: () => Math.max(0, concurrency - taken),
    take(slots: number) {
      taken += slots
    },
    give() {
      taken--
      freed()
      source.roomFreed()
    },
    close() {
      closed = true
      freed()
    },
    /** Resolves when a slot is free or the gate is closed. */
    async free(): Promise<void> {
      while (taken >= concurrency && !closed) {
        await new Promise<void>((resolve) => {
          freed = resolve
        })
      }
    },
  }
}
