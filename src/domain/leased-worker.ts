import type { ClaimedTask } from './outcome.ts'
import type { PacketId } from './packet.ts'
import type { AttemptRef } from './ports.ts'
import type { Status } from './task.ts'

/** A worker that speaks HTTP. It holds no lock: it lives as long as it says something within its lease. */
export type LeasedWorker = {
  id: string
  host: string
  pid: number
  version: string
  queues: string[]
  types: string[]
  concurrency: number
  leaseMs: number
}

/** What the ledger says of a living worker: what it serves, and how many tasks it has, suspects of a crash among them. */
export type Beat = Pick<LeasedWorker, 'queues' | 'types' | 'concurrency' | 'leaseMs'> & {
  inHand: number
  suspects: number
}

/** An attempt of a worker's own; its packet and its payload are not needed to end it. */
export type OpenAttempt = Pick<
  ClaimedTask,
  'id' | 'queue' | 'type' | 'attempt' | 'failures' | 'crashes' | 'maxAttempts'
> & {
  /** Since it was claimed. */
  ranMs: number
}

/** What is left of an attempt in the ledger. `recorded`: its outcome is there, and was this worker's. */
export type Trace = AttemptRef & { status: Status; recorded: boolean; isOpen: boolean }

/** The ledger as workers need it that keep nothing here between two requests. Each may be repeated. */
export type LeasedWorkers = {
  register(worker: LeasedWorker): Promise<void>
  /** Renews the lease; undefined when the worker is not known, or dead already. */
  beat(workerId: string): Promise<Beat | undefined>
  leave(workerId: string): Promise<void>
  /** Attempts that are this worker's and running: of these tasks, or all but these that it claimed before `claimedBeforeMs` ago. */
  open(workerId: string, attempts: readonly AttemptRef[]): Promise<OpenAttempt[]>
  unnamed(workerId: string, named: readonly AttemptRef[], claimedBeforeMs: number): Promise<OpenAttempt[]>
  /** What became of attempts; a task that does not exist is left out. */
  traces(workerId: string, attempts: readonly AttemptRef[]): Promise<Trace[]>
  /** Packets that it claimed before `claimedBeforeMs` ago and still holds. */
  heldFor(workerId: string, claimedBeforeMs: number): Promise<PacketId[]>
  /**
   * Lets go of packets in which nothing runs or waits any more: those with a task `among` these, or all. What waits
   * because it was `released` a moment ago is in a packet of its own. What has ended of them counts within no limit any more.
   */
  settle(workerId: string, which: { among?: readonly string[]; released?: readonly string[] }): Promise<void>
  /** The queues in which packets wait, without those that are paused. */
  waitingQueues(): Promise<string[]>
}

/** As outcomes are written: the packet is settled by itself, the rest was the handler's. */
export function asClaimed({ ranMs, ...open }: OpenAttempt): ClaimedTask {
  return { ...open, packet: 0, payload: 'null', timeoutMs: null, waitedMs: 0 }
}
