import type { Stats, TaskFilter, TaskPage, WorkerInfo } from '../domain/ports.ts'
import type { Submission } from '../domain/submission.ts'
import type { Task, TaskDetail } from '../domain/task.ts'
import type { ScheduleUseCases } from './schedules.ts'

/** What the outside may ask for, with the dependencies bound. Failures are TaskError or StoreUnavailableError. */
export type UseCases = {
  /** Resolves once the task is on disk. `replayed`: its idempotency key already had this very task. */
  submitTask(submission: Submission): Promise<{ task: Task; replayed: boolean }>
  /** All or nothing; ids in the order given. */
  submitBatch(submissions: readonly Submission[]): Promise<{ batchId: string; ids: string[] }>
  getTask(id: string): Promise<TaskDetail>
  /** Answers when the task is final, or as it is after `waitMs`, or as soon as `signal` aborts. */
  awaitTask(id: string, waitMs: number, signal: AbortSignal): Promise<TaskDetail>
  listTasks(filter: TaskFilter): Promise<TaskPage>
  cancelTask(id: string): Promise<TaskDetail>
  retryTask(id: string): Promise<TaskDetail>
  readStats(): Promise<Stats>
  listWorkers(): Promise<WorkerInfo[]>
  checkReadiness(): Promise<Readiness>
} & ScheduleUseCases

export type Check = { name: string; ok: boolean; detail?: string }
export type Readiness = { ok: boolean; checks: Check[] }
