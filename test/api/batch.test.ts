import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TaskError } from '../../src/domain/errors.ts'
import { limits } from '../../src/domain/submission.ts'
import { apiWith, recordingApi } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const url = '/tasks/batch'
const batchOf = (tasks: readonly string[]) => `{"tasks":[${tasks.join(',')}]}`

describe('POST /tasks/batch', () => {
  it('answers the ids in the order in which the tasks were given', async (t) => {
    const { app } = await apiWith(t, {
      submitBatch: async (tasks) => ({ batchId: 'b', ids: tasks.map(({ payload }) => `id of ${payload}`) }),
    })
    const headers = { 'content-type': 'application/json' }
    const body = batchOf(['{"payload":1}', '{"payload":2.0}', '{"payload":3}'])
    const response = await app.inject({ method: 'POST', url, headers, body })
    assert.equal(response.statusCode, 201)
    assert.deepEqual(response.json(), { batchId: 'b', count: 3, ids: ['id of 1', 'id of 2.0', 'id of 3'] })
  })

  it('hands on every payload byte for byte', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const payloads = ['1e400', '"\\u0000"', '{"b":1 , "a":12345678901234567890}', '"\\ud800"', '[ 1.0 ]']
    await post(batchOf(payloads.map((payload) => `{ "payload" : ${payload} , "type":"t"}`)), {}, url)
    assert.deepEqual(
      submissions.map(({ payload }) => payload),
      payloads,
    )
  })

  it('points at everything that is wrong, and hands on nothing', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const tasks = [
      '{"payload":1}',
      '{"payload":1,"type":"a b","x":1}',
      '7',
      '{}',
      '{"payload":1,"maxAttempts":0}',
    ]
    assert.deepEqual(faultsOf(await post(batchOf(tasks), {}, url)), [
      '#/tasks/1/type',
      '#/tasks/1/x',
      '#/tasks/2',
      '#/tasks/3/payload',
      '#/tasks/4/maxAttempts',
    ])
    assert.deepEqual(submissions, [])
  })

  const invalid: [body: string, ...pointers: string[]][] = [
    ['{}', '#/tasks'],
    ['{"tasks":[]}', '#/tasks'],
    ['{"tasks":{}}', '#/tasks'],
    ['{"tasks":null}', '#/tasks'],
    ['[{"payload":1}]', '#'],
    ['{"tasks":[{"payload":1}],"tasks":[{"payload":2}]}', '#/tasks'],
    ['{"tasks":[{"payload":1}],"queue":"x"}', '#/queue'],
    ['{"task":[{"payload":1}]}', '#/task', '#/tasks'],
    ['{"tasks":[{"payload":1,"payload":2}]}', '#/tasks/0/payload'],
    [`{"tasks":[{"payload":1},{"payload":${'['.repeat(100_000)}`, '#/tasks/1/payload'],
    [`{"tasks":${'['.repeat(100_000)}`, '#/tasks/0'],
    [`{"x":${'['.repeat(100_000)}`, '#/x'],
  ]
  for (const [body, ...pointers] of invalid) {
    it(`refuses ${body.slice(0, 70)}`, async (t) => {
      const { post } = await recordingApi(t)
      assert.deepEqual(faultsOf(await post(body, {}, url)), pointers)
    })
  }

  it('hands on what comes when the last task is final, with its payload or without', async (t) => {
    const sequels: unknown[] = []
    const { app } = await apiWith(t, {
      submitBatch: async (tasks, atEnd) => {
        sequels.push(atEnd?.sequel)
        return { batchId: 'b', ids: tasks.map(() => 'id') }
      },
    })
    const headers = { 'content-type': 'application/json' }
    for (const then of ['{"type":"report","payload":{"a": 1.0},"delayMs":5}', '{}']) {
      const body = `{"then":${then},"tasks":[{"payload":1}]}`
      assert.equal((await app.inject({ method: 'POST', url, headers, body })).statusCode, 201)
    }
    const common = { queue: 'default', priority: 'normal' }
    assert.deepEqual(sequels, [
      { ...common, type: 'report', due: { afterMs: 5 }, payload: '{"a": 1.0}' },
      { ...common, type: 'default', due: 'now' },
    ])
  })

  it('hands on who is to be told of the end', async (t) => {
    const ends: unknown[] = []
    const { app } = await apiWith(t, {
      submitBatch: async (_tasks, atEnd) => {
        ends.push(atEnd)
        return { batchId: 'b', ids: ['id'] }
      },
    })
    const body = '{"callbackUrl":"https://a.b/c","tasks":[{"payload":1}]}'
    const reply = await app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body,
    })
    assert.equal(reply.statusCode, 201)
    assert.deepEqual(ends, [{ callbackUrl: 'https://a.b/c' }])
  })

  const invalidCallbacks = [
    '7',
    'null',
    '""',
    '"ftp://a.b"',
    '"http://u@a.b"',
    '"http://a.b","callbackUrl":"http://a.b"',
  ]
  for (const callbackUrl of invalidCallbacks) {
    it(`refuses to tell ${callbackUrl}`, async (t) => {
      const { post } = await recordingApi(t)
      const body = `{"tasks":[{"payload":1}],"callbackUrl":${callbackUrl}}`
      assert.deepEqual(faultsOf(await post(body, {}, url)), ['#/callbackUrl'])
    })
  }

  const invalidSequels: [then: string, ...pointers: string[]][] = [
    ['7', '#/then'],
    ['null', '#/then'],
    ['[]', '#/then'],
    ['{"type":"a b"}', '#/then/type'],
    ['{"typ":"a"}', '#/then/typ'],
    ['{"idempotencyKey":"k"}', '#/then/idempotencyKey'],
    ['{"payload":1,"payload":2}', '#/then/payload'],
    [`{"payload":"${'a'.repeat(limits.payloadBytes)}"}`, '#/then/payload'],
    ['{},"then":{}', '#/then'],
  ]
  for (const [then, ...pointers] of invalidSequels) {
    it(`refuses to do then ${then.slice(0, 40)}`, async (t) => {
      const { post } = await recordingApi(t)
      assert.deepEqual(faultsOf(await post(`{"tasks":[{"payload":1}],"then":${then}}`, {}, url)), pointers)
    })
  }

  it('takes 10,000 tasks and not one more', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const tasks = (count: number) => batchOf(Array(count).fill('{"payload":1}'))
    assert.equal((await post(tasks(limits.batchTasks), {}, url)).json().count, limits.batchTasks)
    assert.equal(submissions.length, limits.batchTasks)
    const refused = await post(tasks(limits.batchTasks + 1), {}, url)
    assert.deepEqual(faultsOf(refused), ['#/tasks'])
    assert.match(refused.body, /more than 10000 tasks/)
  })

  it('points at a payload over 1 MiB', async (t) => {
    const { post } = await recordingApi(t)
    const large = (bytes: number) => `{"payload":"${'a'.repeat(bytes - 2)}"}`
    assert.equal((await post(batchOf([large(limits.payloadBytes)]), {}, url)).statusCode, 201)
    const refused = await post(batchOf(['{"payload":1}', large(limits.payloadBytes + 1)]), {}, url)
    assert.deepEqual(faultsOf(refused), ['#/tasks/1/payload'])
  })

  it('takes a body of 16 MiB and not one byte more', async (t) => {
    const { post } = await recordingApi(t)
    const body = batchOf(Array(15).fill(`{"payload":"${'a'.repeat(limits.payloadBytes - 2)}"}`))
    assert.equal((await post(body.padEnd(limits.batchBytes), {}, url)).statusCode, 201)
    assertProblem(await post(body.padEnd(limits.batchBytes + 1), {}, url), 'body-too-large')
  })

  it('refuses one idempotency key for many tasks, and takes one for each', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const refused = await post(batchOf(['{"payload":1}']), { 'idempotency-key': 'k' }, url)
    assert.deepEqual(faultsOf(refused), ['Idempotency-Key'])
    await post(batchOf(['{"payload":1,"idempotencyKey":"a"}', '{"payload":1,"idempotencyKey":"b"}']), {}, url)
    assert.deepEqual(
      submissions.map(({ idempotencyKey }) => idempotencyKey),
      ['a', 'b'],
    )
  })

  it('points at the task whose key belongs to a different submission', async (t) => {
    const { app } = await apiWith(t, {
      submitBatch: async () => {
        throw new TaskError('idempotency-key-reused', 'the key b has another body', { index: 1 })
      },
    })
    const headers = { 'content-type': 'application/json' }
    const response = await app.inject({ method: 'POST', url, headers, body: batchOf(['{"payload":1}']) })
    const { errors } = assertProblem(response, 'idempotency-key-reused')
    assert.equal(errors?.[0]?.pointer, '#/tasks/1/idempotencyKey')
  })

  it('lists 50 faults of ten thousand', async (t) => {
    const { post } = await recordingApi(t)
    const faults = faultsOf(await post(batchOf(Array(10_000).fill('{"a":1}')), {}, url))
    assert.equal(faults.length, 50)
  })

  it('says where the JSON breaks off', async (t) => {
    const { post } = await recordingApi(t)
    for (const body of [
      '{"tasks":[{"payload":1}',
      '{"tasks":[{"payload":1},]}',
      '{"tasks":[{"payload":1}{}]}',
      '{"tasks"}',
    ])
      assertProblem(await post(body, {}, url), 'malformed-json')
  })
})
