import { type BatchUpkeep, type Ended, sequelTask } from '../domain/batch.ts'
import { lowestId } from '../domain/id.ts'
import type { Capacity, PacketRef } from '../domain/packet.ts'
import type { Log, Sleep } from '../domain/ports.ts'
import { reportTo } from './report.ts'
import { loadOf } from './submit.ts'

export type KeepDeps = {
  upkeep: BatchUpkeep
  newId: () => string
  capacityOf: (queue: string) => Capacity
  announce: (packets: readonly PacketRef[]) => void
  sleep: Sleep
  log: Log
}

export type BatchKeeper = {
  /** In these batches something became final, in this process: looked at soon, and never relied on. */
  touched(ids: readonly string[]): void
  /** Finishes those of these batches that are at their end. */
  settle(ids: readonly string[]): Promise<void>
  /** Looks after all batches until `signal` aborts. Every process may: each round is safe to do twice. */
  run(signal: AbortSignal): Promise<void>
}

const touchedEveryMs = 20
const lookEveryMs = 1_000
const lookAtOnce = 1_000
/** An import is alive when it adds tasks, and says so every ten seconds then. One that waits for its client comes back. */
const silentMs = 60_000
const recountEveryMs = 600_000
const foldEveryMs = 60_000
/**
 * Finishes batches and submits what comes then. Whoever makes a task final hears at once whether it was the last one;
 * what that process did not live to do is found by looking through the unfinished ones.
 */
export function keepingBatches(deps: KeepDeps): BatchKeeper {
  let waiting = new Set<string>()
  let looking = false
  return { touched, settle, run }

  function touched(ids: readonly string[]) {
    for (const id of ids) waiting.add(id)
    if (!looking && waiting.size > 0) void lookAtTouched()
  }

  async function lookAtTouched(): Promise<void> {
    looking = true
    while (waiting.size > 0) {
      const ids = [...waiting]
      waiting = new Set()
      await settle(ids).catch(() => {}) // an outage: they are found later
      await deps.sleep(touchedEveryMs)
    }
    looking = false
  }

  async function settle(ids: readonly string[]): Promise<void> {
    const { packets } = await deps.upkeep.settle(ids, (ended) => sequelLoad(deps, ended))
    deps.announce(packets)
  }

  async function run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      loop(deps, signal, {
        what: 'looking after batches',
        everyMs: lookEveryMs,
        round: lookAround(deps, settle),
      }),
      loop(deps, signal, {
        what: 'folding the counters of batches',
        everyMs: foldEveryMs,
        round: () => deps.upkeep.foldCounters(),
      }),
    ])
  }
}

/** A round takes the next of the unfinished batches, and begins again after the last. */
function lookAround({ upkeep }: KeepDeps, settle: BatchKeeper['settle']): () => Promise<void> {
  let after = lowestId
  return async () => {
    const ids = await upkeep.unfinished(after, lookAtOnce)
    after = ids.length < lookAtOnce ? lowestId : ids.at(-1)!
    if (ids.length === 0) return
    await settle(ids)
    if ((await upkeep.closeSilent(silentMs)) > 0) await settle(ids)
    await upkeep.recountOne(recountEveryMs)
  }
}

function sequelLoad(deps: KeepDeps, ended: readonly Ended[]) {
  const tasks = ended.map((one) => sequelTask(one, deps.newId()))
  return { load: loadOf(deps, tasks, []), ids: tasks.map((task) => task.id) }
}

type Chore = { what: string; everyMs: number; round: () => Promise<unknown> }

async function loop({ sleep, log }: KeepDeps, signal: AbortSignal, { what, everyMs, round }: Chore) {
  let failing = false
  while (!signal.aborted) {
    try {
      await round()
      failing = false
    } catch (error) {
      if (!failing) reportTo(log, error, `${what} failed; trying again until it works`)
      failing = true
    }
    await sleep(everyMs, signal).catch(() => {})
  }
}
