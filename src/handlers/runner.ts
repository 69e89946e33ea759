import { tracingChannel } from 'node:diagnostics_channel'
import type { Logger } from 'pino'
import { ownTypes } from '../domain/callback.ts'
import type { ClaimedTask } from '../domain/outcome.ts'
import { createLocalRunner, type Runner } from './attempt.ts'
import type { HearProgress } from './context.ts'
import { createIsolation } from './isolate.ts'
import type { Handlers } from './load-handlers.ts'

/** A handler that blocks its process for longer is taken for an endless loop. */
const longestBlockMs = 60_000
/** How long tasks are mistrusted after one has ended a process: such tasks mostly come in numbers. */
export const guardMs = 60_000

/** Tells who listens of each attempt before it begins and when its verdict is there: its name is the task's type. */
const attemptTrace = tracingChannel<unknown, { name: string; task: ClaimedTask }>('millrace.attempt')

/** Runs attempts in this process, and apart from it suspects, or all of them while none is to be trusted. `concurrency` is how many may run at once. */
export function createRunner({
  handlers,
  log,
  concurrency,
  isOnGuard,
  hear = () => {},
}: {
  handlers: Handlers
  log: Logger
  concurrency: number
  /** Whether a worker has just died here, so that all tasks had better run apart for a while. */
  isOnGuard: boolean
  /** Hears what handlers say about their progress. */
  hear?: HearProgress
}): Runner {
  const here = createLocalRunner({ definitions: handlers.definitions, log, hear })
  const apart = createIsolation({ handlers, log, concurrency, longestBlockMs, guardMs, isOnGuard, hear })
  return {
    types: here.types,
    run(task) {
      // Our own handlers end no process, and only this one has them.
      const isOwn = task.type.startsWith(ownTypes)
      const { run } = !isOwn && (task.crashes > 0 || apart.isOnGuard()) ? apart : here
      return attemptTrace.tracePromise(run, { name: task.type, task }, undefined, task)
    },
    abort(id, attempt, reason) {
      here.abort(id, attempt, reason)
      apart.abort(id, attempt, reason)
    },
    async stop() {
      await Promise.all([here.stop(), apart.stop()])
    },
  }
}
