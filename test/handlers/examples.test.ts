import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLocalRunner } from '../../src/handlers/attempt.ts'
import { loadHandlers } from '../../src/handlers/load-handlers.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

const { definitions } = await loadHandlers(join(import.meta.dirname, '../../examples'))
const runner = createLocalRunner({ definitions, log: keptLog().log })
after(() => runner.stop())

const run = (type: string, payload: string, attempt = 1) => runner.run(claimed({ type, payload, attempt }))

test('the examples are default, flaky and statistics', () => {
  assert.deepEqual([...definitions.keys()], ['default', 'flaky', 'statistics'])
})

test('default takes three seconds and returns the length of its payload', async () => {
  const lengths: [string, number][] = [
    ['"hello"', 5],
    ['""', 0],
    ['"\\ud83d\\ude00é"', 2],
    ['{ "a": 1.0 }', 12],
    ['"𝒳"', 1],
    ['["𝒳"]', 5],
    ['null', 4],
    ['12345678901234567890', 20],
  ]
  const startedAtMs = performance.now()
  const verdicts = await Promise.all(lengths.map(([payload]) => run('default', payload)))
  const tookMs = performance.now() - startedAtMs

  assert.deepEqual(
    verdicts,
    lengths.map(([, length]) => ({ kind: 'completed', result: String(length) })),
  )
  assert.ok(tookMs > 2_990, `took ${tookMs} ms`)
})

test('default stops when its task is canceled', async () => {
  const task = claimed({ type: 'default', payload: '"x"' })
  const verdict = runner.run(task)
  runner.abort(task.id, 1, 'canceled')
  assert.deepEqual(await verdict, { kind: 'interrupted' })
})

test('flaky fails as it is asked to', async () => {
  const always = await run('flaky', 'null')
  assert.ok(always.kind === 'failed' && always.retryable && always.maxAttempts === 5)
  assert.equal((await run('flaky', '{"fail":"once"}')).kind, 'failed')
  assert.deepEqual(await run('flaky', '{"fail":"once"}', 2), { kind: 'completed', result: '{"attempts":2}' })
  const forGood = await run('flaky', '{"fail":"for-good"}')
  assert.ok(forGood.kind === 'failed' && !forGood.retryable)
  const later = await run('flaky', '{"fail":"later"}')
  assert.ok(later.kind === 'failed' && later.delayMs === 500)
})

test('statistics describes lists of numbers and refuses anything else', async () => {
  const [good, bad] = await Promise.all([run('statistics', '[1,2,6]'), run('statistics', '["x"]')])
  assert.deepEqual(good, { kind: 'completed', result: '{"count":3,"mean":3}' })
  assert.ok(bad?.kind === 'failed' && !bad.retryable)
})
