import type { PacketId } from '../domain/packet.ts'
import type { Claim, WorkerIdentity } from '../domain/ports.ts'
import { admitParked, admitPending } from './admission.ts'
import { type AdmittedPacket, admittedElsewhere, admittedHere } from './admitted.ts'
import { type ClaimRow, claim, toClaim } from './claim.ts'
import type { Database, Run } from './connection.ts'
import { healLanes, nextTurn, openLanes } from './lanes.ts'
import { park } from './parking.ts'
import { lockQueue, type QueueLimits, roomWithin, spendRate } from './queue-limits.ts'

/** Claims within the limits of queues, and gives back what has ended. */
export type Gate = {
  claim(worker: WorkerIdentity, want: GateWant): Promise<Claim>
  /** To be called with what has ended, after its outcome was written, and the packets of which nothing is left. */
  release(ended: readonly { id: string; packet: PacketId }[], settled: readonly PacketId[]): Promise<void>
  /** To be called when fewer of these run than before, so that nobody waits for the next healing. */
  freed(places: readonly { queue: string; key: string }[]): void
}

export type GateWant = { queue: string; room: number }

/** What one process remembers of a queue between two looks. All of it is found again by healing. */
type Memory = {
  /** Keys of which something ended here. Lanes are touched under the queue's lock only, so they are opened then. */
  freed: Set<string>
  healedAtMs: number
  /** How far to look beyond what may start. */
  extra: number
}

const mostInOne = 1_000
/** Where much of what is parked was canceled. */
const extraLook = 500
const healEveryMs = 500
/** Of a queue that is not looked at here. The rest is found by healing. */
const mostFreed = 10_000
const nothing: Claim = { tasks: [], packets: [], oversized: [], blocked: [] }

/** `admitted`: what of this process's own was let through, if it has any. */
export function gate(database: Database, admitted = admittedHere(database)): Gate {
  const memories = new Map<string, Memory>()

  return {
    async claim(worker, want) {
      const memory = memoryOf(want.queue)
      const claimed = await database.transaction((run) => passGate(run, worker, { ...want, memory }))
      if (claimed) {
        for (const packet of claimed.admitted) admitted.add(packet)
        return claimed.claim
      }
      // Nothing is limited and nothing is parked: packets are claimed whole.
      const { room, queue } = want
      return claim(database, worker, { room, queues: [queue], look: Math.min(mostInOne, room + 1) })
    },
    async release(ended, settled) {
      if (admitted.size === 0) return
      freed(await admitted.give(ended, settled))
    },
    freed,
  }

  function freed(places: readonly { queue: string; key: string }[]): void {
    for (const { queue, key } of places) {
      const { freed } = memoryOf(queue)
      if (freed.size < mostFreed) freed.add(key)
    }
  }

  function memoryOf(queue: string): Memory {
    const known = memories.get(queue)
    if (known) return known
    const memory = { freed: new Set<string>(), healedAtMs: Number.NEGATIVE_INFINITY, extra: 0 }
    memories.set(queue, memory)
    return memory
  }
}

/** The gate for workers that keep nothing here: of what they have, the ledger tells when their packets are settled. */
export function gateForOthers(database: Database): Gate {
  return gate(database, admittedElsewhere)
}

type Passed = { claim: Claim; admitted: readonly AdmittedPacket[] }

/** Parks, admits, and tells when to look again. Undefined where there is nothing to hold back. */
async function passGate(
  run: Run,
  worker: WorkerIdentity,
  { queue, room, memory }: GateWant & { memory: Memory },
): Promise<Passed | undefined> {
  const limits = await lockQueue(run, queue)
  if (!limits) return undefined
  if (limits.isPaused) return passed(nothing, { waits: false, nextInMs: null })
  const parked = limits.isLimited ? await park(run, queue) : 0
  await reopen(run, queue, { limits, memory })
  const free = await roomWithin(run, queue, { limits, room })
  const want = Math.min(mostInOne, free, limits.rateRoom)
  const { claimed, gone, admitted } =
    want > 0
      ? await admit(run, worker, { queue, want, limits, memory })
      : { claimed: nothing, gone: 0, admitted: [] }
  // As many as there was room for: there are more, most likely, and a look that finds none asks when the next is due.
  const isFilled = want > 0 && sizeOf(claimed) === want && limits.ratePerSecond === null
  const { waits, readyInMs } = isFilled ? { waits: true, readyInMs: 0 } : await nextTurn(run, queue)
  if (!limits.isLimited && !waits && claimed.packets.length === 0) return undefined
  const nextInMs = parked + gone > 0 ? 0 : free > 0 && readyInMs !== null ? readyInMs : null
  const isPaced = nextInMs !== null && limits.rateRoom === 0
  return passed(
    claimed,
    { waits, nextInMs: isPaced ? Math.max(nextInMs, limits.rateInMs) : nextInMs },
    admitted,
  )
}

const passed = (
  claim: Claim,
  gate: NonNullable<Claim['gate']>,
  admitted: readonly AdmittedPacket[] = [],
) => ({
  claim: { ...claim, gate },
  admitted,
})

const sizeOf = ({ packets }: Claim) => packets.reduce((sum, { size }) => sum + size, 0)

async function reopen(
  run: Run,
  queue: string,
  { limits: { keyConcurrency }, memory }: { limits: QueueLimits; memory: Memory },
): Promise<void> {
  const keys = memory.freed
  memory.freed = new Set()
  if (performance.now() - memory.healedAtMs > healEveryMs) {
    memory.healedAtMs = performance.now()
    await healLanes(run, queue, keyConcurrency)
  } else if (keys.size > 0 && keyConcurrency !== null) await openLanes(run, queue, keys)
}

type GoneRow = [kind: 'gone', tasks: number, ...rest: null[]]

async function admit(
  run: Run,
  { id, types }: WorkerIdentity,
  { queue, want, limits, memory }: { queue: string; want: number; limits: QueueLimits; memory: Memory },
): Promise<{ claimed: Claim; gone: number; admitted: AdmittedPacket[] }> {
  const { keyConcurrency, keyRatePerSecond } = limits
  const values = [queue, id, types, want, keyConcurrency, keyRatePerSecond, memory.extra]
  const statement = memory.extra > 0 ? admitPending : admitParked
  const rows = await run<ClaimRow | GoneRow>(statement, values)
  const claimed = toClaim(rows.filter((row): row is ClaimRow => row[0] !== 'gone'))
  const gone = rows.reduce((sum, row) => sum + (row[0] === 'gone' ? row[1] : 0), 0)
  const tasks = sizeOf(claimed)
  memory.extra = gone > 0 || claimed.tasks.length < tasks ? extraLook : 0
  if (limits.ratePerSecond !== null && tasks > 0) await spendRate(run, queue, tasks)
  const admitted = rows.flatMap((row) =>
    row[0] === 'taken' ? [{ queue, packet: row[1], taskIds: row[3], keys: row[11] ?? [] }] : [],
  )
  return { claimed, gone, admitted }
}
