export {
  type Batch,
  type BatchHandle,
  type BatchOptions,
  type BatchPage,
  BatchTimeoutError,
} from './batch.ts'
export type { BulkAction, BulkActionPage, BulkFilter } from './bulk-actions.ts'
export { type ClientOptions, createClient, type Millrace } from './client.ts'
export type { PayloadOf, ResultOf } from './definition.ts'
export {
  ConflictError,
  ConnectionError,
  type FieldProblem,
  InvalidRequestError,
  MillraceError,
  NotFoundError,
  TaskCanceledError,
  TaskFailedError,
  TaskTimeoutError,
  UnavailableError,
} from './errors.ts'
export type { EventOptions, FeedEvent, FeedFilter, TaskEvent } from './events.ts'
export type { FailureGroup, FailureGroupPage, FailureGroupQuery } from './failure-group.ts'
export type { Call, Reply } from './http.ts'
export type { ApiKey, KeyWish, Scope, Who } from './keys.ts'
export type { Queue, QueueLimits } from './queue.ts'
export type { CatchUp, Schedule, ScheduleDefinition, ScheduledTask } from './schedules.ts'
export type {
  Counts,
  History,
  HistoryQuery,
  Quantiles,
  QueueStats,
  Snapshot,
  Stats,
  WorkerInfo,
} from './stats.ts'
export type { AnyIterable } from './submit-many.ts'
export type { RunOptions } from './submitting.ts'
export type { SystemState } from './system.ts'
export type {
  PastAttempt,
  Priority,
  Progress,
  Status,
  StoredError,
  Submission,
  SubmitOptions,
  Task,
  TaskFilter,
  TaskPage,
  TaskScope,
  TaskSummary,
} from './task.ts'
export type { TaskHandle } from './task-handle.ts'
export type { WaitOptions } from './wait.ts'
export type { Mark, Span, Timeline, Why } from './why.ts'
