import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import { apiWith, queueOf, recordingApi } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

async function queuesApi(t: TestContext) {
  const calls: unknown[][] = []
  const noting =
    (name: string) =>
    async (...args: [string, ...unknown[]]) => {
      calls.push([name, ...args])
      return queueOf(args[0])
    }
  const { app } = await apiWith(t, {
    changeQueue: noting('change'),
    pauseQueue: noting('pause'),
    resumeQueue: noting('resume'),
  })
  const ask = (method: 'POST' | 'PATCH', url: string, body = '') =>
    app.inject({ method, url, body, headers: { 'content-type': 'application/json' } })
  return { app, calls, ask }
}

it('shows the queues, pauses and resumes them and changes their limits', async (t) => {
  const { app, ask, calls } = await queuesApi(t)
  assert.deepEqual((await app.inject('/queues')).json(), [queueOf('default')])
  assert.deepEqual((await ask('POST', '/queues/a%2Fb/pause')).json(), queueOf('a/b'))
  assert.equal((await ask('POST', '/queues/mail/resume', '{}')).statusCode, 200)
  const limits = { concurrency: 5, ratePerSecond: 0.5, keyConcurrency: null }
  assert.equal((await ask('PATCH', '/queues/mail', JSON.stringify(limits))).statusCode, 200)
  assert.deepEqual(calls, [
    ['pause', 'a/b'],
    ['resume', 'mail'],
    ['change', 'mail', limits],
  ])
})

it('says everything that is wrong with limits', async (t) => {
  const { ask, calls } = await queuesApi(t)
  const wrong = '{"concurency":1,"ratePerSecond":0,"keyConcurrency":1.5,"keyRatePerSecond":"2","__proto__":1}'
  const reply = await ask('PATCH', '/queues/mail', wrong)
  assert.deepEqual(faultsOf(reply), [
    '#/concurency',
    '#/ratePerSecond',
    '#/keyConcurrency',
    '#/keyRatePerSecond',
    '#/__proto__',
  ])
  assert.match(reply.body, /did you mean 'concurrency'\?/)
  for (const body of ['[]', 'null', '1', '"a"', '{}'])
    assert.deepEqual(faultsOf(await ask('PATCH', '/queues/mail', body)), ['#'])
  assertProblem(await ask('PATCH', '/queues/mail', '{"concurrency":'), 'malformed-json')
  assertProblem(await ask('PATCH', '/queues/mail', ''), 'empty-body')
  assertProblem(await ask('PATCH', '/queues/mail', `{"a":"${'x'.repeat(20_000)}"}`), 'body-too-large')
  for (const value of ['1e999', '-1', '1000001', 'true', '[1]'])
    assert.deepEqual(faultsOf(await ask('PATCH', '/queues/mail', `{"concurrency":${value}}`)), [
      '#/concurrency',
    ])
  assert.deepEqual(calls, [])
})

it('refuses names that no queue can have, bodies and parameters where there are none', async (t) => {
  const { app, ask, calls } = await queuesApi(t)
  for (const name of ['%20', 'a%00', 'x'.repeat(129), '%F0%9F%90%87'])
    assert.deepEqual(faultsOf(await ask('POST', `/queues/${name}/pause`)), ['name'])
  assertProblem(await ask('POST', '/queues/mail/pause', '{"reason":"x"}'), 'invalid-request')
  assert.deepEqual(faultsOf(await ask('POST', '/queues/mail/pause?for=1')), ['for'])
  assert.deepEqual(faultsOf(await app.inject('/queues?limit=1')), ['limit'])
  assertProblem(await ask('POST', '/queues/mail/paus'), 'route-not-found')
  assertProblem(await ask('POST', '/queues/mail'), 'method-not-allowed')
  assert.deepEqual(calls, [])
})

it('is 503 while the database is away', async (t) => {
  const away = async () => {
    throw new StoreUnavailableError(new Error('no route'))
  }
  const { app } = await apiWith(t, { listQueues: away, pauseQueue: away })
  assertProblem(await app.inject('/queues'), 'store-unavailable')
  assertProblem(await app.inject({ method: 'POST', url: '/queues/mail/pause' }), 'store-unavailable')
})

it('takes a key with a task, and shows it', async (t) => {
  const { post, submissions } = await recordingApi(t)
  const reply = await post('{"payload":1,"key":"tenant ✓"}')
  assert.equal(reply.json().key, 'tenant ✓')
  assert.equal((await post('{"payload":1}')).json().key, null)
  assert.deepEqual(
    submissions.map(({ key }) => key),
    ['tenant ✓', undefined],
  )
  for (const key of ['""', '1', 'null', '"\\u0000"', '"\\ud800"', JSON.stringify('x'.repeat(256))])
    assert.deepEqual(faultsOf(await post(`{"payload":1,"key":${key}}`)), ['#/key'])
})
