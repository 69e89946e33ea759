export { NonRetryableError, RetryLaterError } from './domain/errors.ts'
export type { BatchContext, TaskContext } from './handlers/context.ts'
export { type BatchTask, defineTask, type SingleTask, type TaskDefinition } from './handlers/define-task.ts'
