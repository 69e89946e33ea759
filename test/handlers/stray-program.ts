import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createLocalRunner } from '../../src/handlers/attempt.ts'
import { logStrayErrors } from '../../src/handlers/stray-errors.ts'
import { defineTask } from '../../src/index.ts'
import { claimed } from './task.ts'

// Two tasks of a type; the second leaves an error behind that shows only after its attempt is over.
const [type = ''] = process.argv.slice(2)
const log = pino(pino.destination({ sync: true }))

const rejection = defineTask({
  type: 'rejection',
  run(_, { id }) {
    if (id === 'second') void sleep(5).then(() => Promise.reject(new Error(`left by ${id}`)))
  },
})
const exception = defineTask({
  type: 'exception',
  run(_, { id }) {
    if (id !== 'second') return
    setTimeout(() => {
      throw new Error(`left by ${id}`)
    }, 5)
  },
})
const batch = defineTask({
  type: 'batch',
  runBatch(inputs) {
    void sleep(5).then(() => Promise.reject(new Error('left by a batch')))
    return inputs
  },
})

logStrayErrors(log)
const definitions = new Map([rejection, exception, batch].map((definition) => [definition.type, definition]))
const runner = createLocalRunner({ definitions, log })
await Promise.all(['first', 'second'].map((id, at) => runner.run(claimed({ id, type, attempt: at + 1 }))))
await sleep(50)
console.log('still alive')
