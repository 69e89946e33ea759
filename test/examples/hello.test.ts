import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runScript } from '../support/process.ts'
import { examples, systemWith } from './system.ts'

test('hello runs a task and prints its result', async (t) => {
  const { url } = await systemWith(t, join(examples, 'hello/tasks.ts'))
  const run = await runScript(t, [join(examples, 'hello/submit.ts'), 'Ada'], { env: { MILLRACE_URL: url } })
  assert.deepEqual(run, { code: 0, stdout: 'Hello, Ada!\n', stderr: '' })
})
