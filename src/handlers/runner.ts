import type { Logger } from 'pino'
import { createLocalRunner, type Runner } from './attempt.ts'
import { createIsolation } from './isolate.ts'
import type { Handlers } from './load-handlers.ts'

/** A handler that blocks its process for longer is taken for an endless loop. */
const longestBlockMs = 60_000
/** Tasks that end their process mostly come in numbers. */
const guardMs = 60_000

/** Runs attempts in this process, and apart from it suspects, or all of them while none is to be trusted. `concurrency` is how many may run at once. */
export function createRunner({
  handlers,
  log,
  concurrency,
}: {
  handlers: Handlers
  log: Logger
  concurrency: number
}): Runner {
  const here = createLocalRunner({ definitions: handlers.definitions, log })
  const apart = createIsolation({ handlers, log, concurrency, longestBlockMs, guardMs })
  return {
    types: here.types,
    run: (task) => (task.crashes > 0 || apart.isOnGuard() ? apart : here).run(task),
    abort(id, attempt, reason) {
      here.abort(id, attempt, reason)
      apart.abort(id, attempt, reason)
    },
    async stop() {
      await Promise.all([here.stop(), apart.stop()])
    },
  }
}
