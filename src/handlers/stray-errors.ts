import { AsyncLocalStorage } from 'node:async_hooks'
import type { Logger } from 'pino'
import type { Attempt } from './context.ts'

/**
 * Whose code is running, however far it has got from its handler: one attempt, or all of a batch. Costs 0.2 µs an
 * attempt.
 */
export const currentAttempt = new AsyncLocalStorage<Attempt | readonly Attempt[]>()

const mostNamed = 10

/**
 * Logs what handlers leave behind, with the task whose handler it was. A rejection that nobody awaited is logged
 * instead of ending the process and all that runs in it; an uncaught exception ends the process as ever, because
 * nobody knows what it left half done. Answers how to stop that.
 */
export function logStrayErrors(log: Logger): () => void {
  process.on('unhandledRejection', onRejection)
  process.on('uncaughtExceptionMonitor', onException)
  return () => {
    process.off('unhandledRejection', onRejection)
    process.off('uncaughtExceptionMonitor', onException)
  }

  function onRejection(reason: unknown) {
    const err = reason instanceof Error ? reason : new Error('rejected without an error', { cause: reason })
    log.error({ err, ...originOf(currentAttempt.getStore()) }, 'a promise was rejected and nobody awaited it')
  }

  function onException(err: Error) {
    log.fatal({ err, ...originOf(currentAttempt.getStore()) }, 'an uncaught exception ends this process')
  }
}

function originOf(attempts: ReturnType<typeof currentAttempt.getStore>) {
  if (!attempts) return {}
  if ('task' in attempts) {
    const { id, type, attempt } = attempts.task
    return { taskId: id, type, attempt }
  }
  return { type: attempts[0]?.task.type, taskIds: attempts.slice(0, mostNamed).map(({ task }) => task.id) }
}
