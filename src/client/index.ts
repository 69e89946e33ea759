export { type ClientOptions, createClient, type Millrace } from './client.ts'
export type { PayloadOf, ResultOf } from './definition.ts'
export {
  ConnectionError,
  type FieldProblem,
  MillraceError,
  TaskCanceledError,
  TaskFailedError,
  TaskTimeoutError,
} from './errors.ts'
export type { Call, Reply } from './http.ts'
export type { CatchUp, Schedule, ScheduleDefinition, ScheduledTask } from './schedules.ts'
export type { Counts, Stats, WorkerInfo } from './stats.ts'
export type {
  PastAttempt,
  Priority,
  Status,
  StoredError,
  Submission,
  SubmitOptions,
  Task,
  TaskFilter,
  TaskPage,
  TaskSummary,
} from './task.ts'
export type { TaskHandle } from './task-handle.ts'
export type { WaitOptions } from './wait.ts'
