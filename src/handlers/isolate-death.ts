import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import { TimeoutError } from './context.ts'
import { type TaskDefinition, timeoutMsOf } from './define-task.ts'
import { failedBy, WorkerLostError } from './failure.ts'
import type { FromChild } from './isolate-messages.ts'
import type { Exit } from './isolate-process.ts'

/** How a process of suspects came to its end. */
export type Death = {
  exit: Exit
  /** It had its handlers loaded, so tasks ran in it. */
  wasReady: boolean
  /** It ran one task only. */
  isSolitary: boolean
  /** It was killed because it had not noticed a deadline. */
  hasTimedOut: boolean
  /** Why it could not start, or why it was killed. */
  reason: string | undefined
  /** The attempt that ended it, by its own account. */
  fatal: Extract<FromChild, { kind: 'fatal' }> | undefined
}

/**
 * What the end of its process means for a task that ran in it: a failure of the guilty. For the others nothing where
 * the guilty one is known, else a crash.
 */
export function verdictOnDeath(
  task: ClaimedTask,
  death: Death,
  definition: TaskDefinition | undefined,
): Verdict {
  const { exit, wasReady, isSolitary, hasTimedOut, fatal } = death
  const how = death.reason ?? describeExit(exit)
  // Such a signal is meant for the worker; the process takes no notice of it once it has started.
  if (!wasReady && (exit.signal === 'SIGTERM' || exit.signal === 'SIGINT')) return { kind: 'interrupted' }
  if (!wasReady) return fail(new WorkerLostError(`the process to run this task in could not start: ${how}`))
  if (fatal?.id === task.id && fatal.attempt === task.attempt) return lost(fatal.message)
  if (fatal) return { kind: 'interrupted' }
  if (!isSolitary) return { kind: 'crashed' }
  return hasTimedOut ? fail(new TimeoutError(timeoutMsOf(task, definition))) : lost(how)

  function lost(how: string) {
    return fail(new WorkerLostError(`the process that ran this task was lost: ${how}`))
  }

  function fail(error: Error) {
    return failedBy(error, task.attempt, definition?.maxAttempts)
  }
}

function describeExit({ code, signal }: Exit): string {
  if (signal === 'SIGABRT' || code === 134) return 'signal SIGABRT, most likely because it ran out of memory'
  if (signal === 'SIGKILL') return 'signal SIGKILL, as the system sends it when memory runs out'
  return signal ? `signal ${signal}` : `exit code ${code}`
}
