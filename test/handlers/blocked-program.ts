import { join } from 'node:path'
import { loadHandlers } from '../../src/handlers/load-handlers.ts'
import { createRunner } from '../../src/handlers/runner.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

// A worker with a suspect that never ends and says nothing more.
const handlers = await loadHandlers(join(import.meta.dirname, 'dangerous.ts'))
const runner = createRunner({ handlers, log: keptLog().log, concurrency: 10, isOnGuard: false })
await runner.run(claimed({ type: 'loop', crashes: 1, payload: JSON.stringify(process.argv[2]) }))
