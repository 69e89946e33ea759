import type { Batch, BatchPage, BatchPageWish } from '../domain/batch.ts'
import type { BulkAction, BulkPageWish, NewBulkAction } from '../domain/bulk-action.ts'
import type { TaskError } from '../domain/errors.ts'
import type { FeedPage, FeedPosition, MoveFilter, Sighting } from '../domain/event.ts'
import type { FailureGroupPage, FailureGroupWish } from '../domain/failure-group.ts'
import type { Metric } from '../domain/metric.ts'
import type { TaskFilter, TaskPage, WorkerInfo } from '../domain/ports.ts'
import type { Queue, QueueLimits } from '../domain/queue.ts'
import type { History, HistoryWish } from '../domain/rollup.ts'
import type { Snapshot, Stats } from '../domain/stats.ts'
import type { AtEnd, Submission } from '../domain/submission.ts'
import type { SystemState } from '../domain/system.ts'
import type { Task, TaskDetail } from '../domain/task.ts'
import type { Timeline } from '../domain/timeline.ts'
import type { Why } from '../domain/why.ts'
import type { ClaimCases } from './claim-for-worker.ts'
import type { HttpWorkerCases } from './http-workers.ts'
import type { KeyUseCases } from './keys.ts'
import type { ScheduleUseCases } from './schedules.ts'
import type { SessionUseCases } from './sessions.ts'

/** What the outside may ask for, with the dependencies bound. Failures are TaskError or StoreUnavailableError. */
export type UseCases = {
  /** Resolves once the task is on disk. `replayed`: its idempotency key already had this very task. */
  submitTask(submission: Submission): Promise<{ task: Task; replayed: boolean }>
  /** All or nothing; ids in the order given. What is to come at the end comes once, when the last of the tasks is final. */
  submitBatch(submissions: readonly Submission[], atEnd?: AtEnd): Promise<{ batchId: string; ids: string[] }>
  /** Begins a batch to which tasks are added in the order of their lines. */
  openImport(atEnd?: Pick<AtEnd, 'callbackUrl'>): Promise<Import>
  getTask(id: string): Promise<TaskDetail>
  /** Answers when the task is final, or as it is after `waitMs`, or as soon as `signal` aborts. */
  awaitTask(id: string, waitMs: number, signal: AbortSignal): Promise<TaskDetail>
  /**
   * The task as it is and after each change, until it is final or `signal` aborts, without what was `seen` already;
   * undefined if that was the end.
   */
  followTask(
    id: string,
    options: { seen: Omit<Sighting, 'id'> | undefined; signal: AbortSignal },
  ): Promise<AsyncIterable<TaskDetail> | undefined>
  /** Pages of what becomes of all tasks, from now on or from where somebody stopped, until `signal` aborts. */
  followMoves(
    filter: MoveFilter,
    options: { from: FeedPosition | undefined; signal: AbortSignal },
  ): AsyncIterable<FeedPage>
  listTasks(filter: TaskFilter): Promise<TaskPage>
  /** Why a task does not run, in one sentence. */
  explainTask(id: string): Promise<Why>
  readTimeline(id: string): Promise<Timeline>
  /** Counts what the scope has now; begins with it then if that is wished. */
  createBulkAction(wish: Omit<NewBulkAction, 'id'>): Promise<BulkAction>
  readBulkAction(id: string): Promise<BulkAction>
  listBulkActions(wish: BulkPageWish): Promise<{ actions: BulkAction[]; next: string | null }>
  startBulkAction(id: string): Promise<BulkAction>
  abortBulkAction(id: string): Promise<BulkAction>
  cancelTask(id: string): Promise<TaskDetail>
  retryTask(id: string): Promise<TaskDetail>
  readBatch(id: string): Promise<Batch>
  /** Newest first. */
  listBatches(wish: BatchPageWish): Promise<BatchPage>
  /** Answers when the batch is finished, or as it is after `waitMs`, or as soon as `signal` aborts. */
  awaitBatch(id: string, waitMs: number, signal: AbortSignal): Promise<Batch>
  /** Cancels all that is not final. Answers how many. */
  cancelBatch(id: string): Promise<number>
  /** Makes all that has failed pending again. Answers how many. */
  retryBatch(id: string): Promise<number>
  readStats(): Promise<Stats>
  /** What happened when, in the last days. */
  readHistory(wish: HistoryWish): Promise<History>
  /** How things stand, now and whenever that has changed, once a second at most, until `signal` aborts. */
  followStats(signal: AbortSignal): AsyncIterable<Snapshot>
  listFailureGroups(wish: FailureGroupWish): Promise<FailureGroupPage>
  listWorkers(): Promise<WorkerInfo[]>
  readSystem(): Promise<SystemState>
  readMetrics(): Promise<Metric[]>
  listQueues(): Promise<Queue[]>
  /** Changes the limits that are named; null is none. Like pausing, it answers the queue as it is then. */
  changeQueue(name: string, changes: Partial<QueueLimits>): Promise<Queue>
  pauseQueue(name: string): Promise<Queue>
  resumeQueue(name: string): Promise<Queue>
  checkReadiness(): Promise<Readiness>
} & HttpWorkerCases &
  ClaimCases &
  KeyUseCases &
  SessionUseCases &
  ScheduleUseCases

/** An import that goes on. */
export type Import = {
  batchId: string
  /**
   * Stores tasks, after all that came before; for each, in order, its id or why it was refused. Waits while the
   * database is away for a moment, and fails with StoreUnavailableError when it stays away: then nobody knows whether
   * these tasks are stored.
   */
  add(submissions: readonly Submission[]): Promise<(string | TaskError)[]>
  /** Nothing more is going to be added. */
  close(): Promise<void>
}

export type Check = { name: string; ok: boolean; detail?: string }
export type Readiness = { ok: boolean; checks: Check[] }
