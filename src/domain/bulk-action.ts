import type { PacketRef } from './packet.ts'
import type { AttemptRef, TaskScope } from './ports.ts'
import type { JsonText, Status } from './task.ts'

export const bulkVerbs = ['cancel', 'retry', 'delete'] as const
export type BulkVerb = (typeof bulkVerbs)[number]

export const bulkStatuses = ['counting', 'ready', 'running', 'done', 'aborted', 'failed'] as const
export type BulkStatus = (typeof bulkStatuses)[number]

/** The statuses in which it can be done to a task. */
export const statusesOf: Record<BulkVerb, readonly Status[]> = {
  cancel: ['scheduled', 'pending', 'processing'],
  retry: ['failed', 'canceled'],
  delete: ['completed', 'failed', 'canceled'],
}

/** Something that is done to all tasks of a scope, as clients see it. */
export type BulkAction = {
  id: string
  action: BulkVerb
  /** As it was given. */
  filter: JsonText
  status: BulkStatus
  /** How many tasks there are to do; it grows while they are counted. */
  matched: number
  done: number
  /** Tasks that had moved on, so that it could not be done to them. */
  skipped: number
  ratePerSecond: number | null
  remainingMs: number | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
  error: string | null
}

export type NewBulkAction = {
  id: string
  action: BulkVerb
  filter: JsonText
  scope: TaskScope
  /** Begins when it is counted, without being told again. */
  start: boolean
}

/** One that is to be gone on with. */
export type OpenBulkAction = {
  id: string
  action: BulkVerb
  status: 'counting' | 'running'
  scope: TaskScope
  position: string | null
}

export type BulkPageWish = { limit: number; before?: string }

/** Every move may be repeated, and done by several processes at once. Fails with StoreUnavailableError. */
export type BulkStore = {
  create(action: NewBulkAction): Promise<void>
  read(id: string): Promise<BulkAction | undefined>
  /** Newest first. */
  page(wish: BulkPageWish): Promise<{ actions: BulkAction[]; next: string | null }>
  /** Has it run: at once if it is ready, else when it is counted. False where it is over, or there is none. */
  start(id: string): Promise<boolean>
  /** Stops it between two lots. False where it is over, or there is none. */
  abort(id: string): Promise<boolean>
  fail(id: string, reason: string): Promise<void>
  /** Those that nobody goes on with, or this process does, and keeps the others away from them for a while. */
  take(processId: string, leaseMs: number): Promise<OpenBulkAction[]>
  /** Looks for the next tasks and writes them down; at the end it is ready, or runs. */
  countSome(action: OpenBulkAction): Promise<void>
  /** The next lot, not taken yet; undefined after the last, and then it is done. */
  nextLot(id: string): Promise<BulkLot | undefined>
  /** Does it to a lot, once: undefined where another process was faster, or it does not run any more. */
  doLot(action: OpenBulkAction, lot: BulkLot): Promise<LotDone | undefined>
  /** Lets go of those that were over long ago, or were never started. */
  forget(retentionDays: number): Promise<void>
}

export type BulkLot = { firstId: string; ids: readonly string[] }

export type LotDone = {
  done: number
  interrupted: AttemptRef[]
  packets: PacketRef[]
  /** Batches in which something became final. */
  batchIds: string[]
}
