import type { PacketRef } from './packet.ts'
import type { AttemptRef, Load } from './ports.ts'
import type { Counts } from './stats.ts'
import type { NewBatch, NewTask, Sequel } from './submission.ts'
import type { JsonText } from './task.ts'

/** A batch as clients see it. */
export type Batch = {
  id: string
  /** Tasks that were stored with it. */
  total: number
  counts: Counts
  createdAt: string
  /** When the last of its tasks became final; null while one is not, or tasks are still being added. */
  finishedAt: string | null
  importing: boolean
  /** The task that was submitted when the batch was first finished. */
  thenId: string | null
}

export type BatchPageWish = { limit: number; before?: string }
/** `next`: the id before which the next page begins. */
export type BatchPage = { batches: Batch[]; next: string | null }

/** What batches come to. Every move may be repeated; fails with StoreUnavailableError while the database is away. */
export type BatchLedger = {
  /** Begins a batch to which tasks are added until it is closed. */
  open(batch: NewBatch): Promise<void>
  /** Says where the delivery waits that tells of the batch's end. */
  moveCallback(id: string, queue: string): Promise<void>
  /** Says that the import still lives. */
  touch(id: string): Promise<void>
  close(id: string, lastId: string): Promise<void>
  read(id: string): Promise<Batch | undefined>
  /** Newest first, those older than the id `before`. */
  page(wish: BatchPageWish): Promise<BatchPage>
  /** Of these, the batches that are finished (or gone). */
  finished(ids: readonly string[]): Promise<string[]>
  /** Cancels what is not final among the next tasks after the id `after`. */
  cancelSome(id: string, after: string): Promise<Step & { canceled: number; interrupted: AttemptRef[] }>
  /** Makes what has failed among the next tasks after the id `after` pending again. */
  retrySome(id: string, after: string): Promise<Step & { retried: number; packets: PacketRef[] }>
}

/** Where the next step begins; null at the end of the batch. */
export type Step = { next: string | null }

/** What is done about batches that nobody asks for. Any number of processes may do it at the same time. */
export type BatchUpkeep = {
  /**
   * Of these batches, finishes those whose tasks are all final, and submits what is to come then: once, because both
   * are one transaction. `loadOf` makes the load of the tasks that come of it.
   */
  settle(
    ids: readonly string[],
    loadOf: (ended: readonly Ended[]) => { load: Load; ids: readonly string[] },
  ): Promise<{ finished: string[]; packets: PacketRef[] }>
  /** Batches that are not finished, in the order of their ids. */
  unfinished(after: string, limit: number): Promise<string[]>
  /** Closes imports to which nothing was added for so long. Answers how many. */
  closeSilent(silentMs: number): Promise<number>
  /** Compares the counters of one batch with its tasks and puts them right. Answers false if none is due. */
  recountOne(everyMs: number): Promise<boolean>
  foldCounters(): Promise<void>
}

/** A batch that has just been finished, with what is to come then. */
export type Ended = { id: string; counts: Counts; sequel: Sequel }

/** The payload of a sequel: the batch, its counts, and the payload that was given for it. */
export function sequelPayload({ id, counts, sequel }: Ended): JsonText {
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0)
  const own = sequel.payload === undefined ? '' : `,"payload":${sequel.payload}`
  return `{"batchId":"${id}","total":${total},"counts":${JSON.stringify(counts)}${own}}`
}

/** The task that a sequel becomes. */
export function sequelTask(ended: Ended, id: string): NewTask {
  return { ...ended.sequel, payload: sequelPayload(ended), id }
}
