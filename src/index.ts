import type { WorkerOptions } from './main/start-worker.ts'
import type { Service } from './runtime/service.ts'

export { NonRetryableError, RetryLaterError } from './domain/errors.ts'
export type { BatchContext, TaskContext } from './handlers/context.ts'
export { type BatchTask, defineTask, type SingleTask, type TaskDefinition } from './handlers/define-task.ts'
export type { WorkerOptions } from './main/start-worker.ts'

/**
 * Starts a worker inside this process; what the options leave open comes from the environment, as for
 * `millrace worker`. Resolves when the worker takes tasks. `stop` waits for what runs and hands the rest back.
 * Fails with one error that names every setting that cannot be used.
 */
export async function startWorker(options: WorkerOptions = {}): Promise<Service> {
  // Loaded when it is called: a module with handlers, which imports this one, needs none of it.
  const { startWorker: start } = await import('./main/start-worker.ts')
  return start(options)
}
