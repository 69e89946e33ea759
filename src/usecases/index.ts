import type { FeedPage, FeedPosition, MoveFilter, Sighting } from '../domain/event.ts'
import type { Stats, TaskFilter, TaskPage, WorkerInfo } from '../domain/ports.ts'
import type { Submission } from '../domain/submission.ts'
import type { Task, TaskDetail } from '../domain/task.ts'

/** What the outside may ask for, with the dependencies bound. Failures are TaskError or StoreUnavailableError. */
export type UseCases = {
  /** Resolves once the task is on disk. `replayed`: its idempotency key already had this very task. */
  submitTask(submission: Submission): Promise<{ task: Task; replayed: boolean }>
  /** All or nothing; ids in the order given. */
  submitBatch(submissions: readonly Submission[]): Promise<{ batchId: string; ids: string[] }>
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
  cancelTask(id: string): Promise<TaskDetail>
  retryTask(id: string): Promise<TaskDetail>
  readStats(): Promise<Stats>
  listWorkers(): Promise<WorkerInfo[]>
  checkReadiness(): Promise<Readiness>
}

export type Check = { name: string; ok: boolean; detail?: string }
export type Readiness = { ok: boolean; checks: Check[] }
