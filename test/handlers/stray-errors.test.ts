import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

// In processes of their own, because the test runner has its own opinion on stray errors.
const run = (how: string) =>
  promisify(execFile)(process.execPath, [`${import.meta.dirname}/stray-program.ts`, how]).catch(
    (error) => error,
  )

const lineIn = (stdout: string) => {
  const { level, taskId, taskIds, type, attempt, err, msg } = JSON.parse(stdout.split('\n')[0] ?? '')
  return { level, taskId, taskIds, type, attempt, error: err.message, msg }
}

test('a rejection that a handler left behind is logged with its task, and the process lives on', async () => {
  const { stdout, code } = await run('rejection')
  assert.deepEqual(lineIn(stdout), {
    level: 50,
    taskId: 'second',
    taskIds: undefined,
    type: 'rejection',
    attempt: 2,
    error: 'left by second',
    msg: 'a promise was rejected and nobody awaited it',
  })
  assert.match(stdout, /still alive/)
  assert.equal(code, undefined)
})

test('what a batch left behind is logged with its tasks', async () => {
  const { stdout } = await run('batch')
  const { type, taskIds, error } = lineIn(stdout)
  assert.deepEqual(
    { type, taskIds, error },
    { type: 'batch', taskIds: ['first', 'second'], error: 'left by a batch' },
  )
})

test('an uncaught exception is logged with its task, and ends the process', async () => {
  const { stdout, code } = await run('exception')
  const { level, taskId, error } = lineIn(stdout)
  assert.deepEqual({ level, taskId, error }, { level: 60, taskId: 'second', error: 'left by second' })
  assert.equal(code, 1)
})
