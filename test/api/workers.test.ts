import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TaskError } from '../../src/domain/errors.ts'
import type { WorkerEnding } from '../../src/usecases/http-workers.ts'
import { apiWith } from './api-under-test.ts'

const id = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'

test('what a worker over HTTP may say', async (t) => {
  const seen: WorkerEnding[] = []
  const { app } = await apiWith(t, {
    finishTasks: async (_, endings) => {
      seen.push(...endings)
      return []
    },
    beatWorker: async () => {
      throw new TaskError('worker-not-found', 'register again')
    },
  })
  const post = (url: string, body: unknown) =>
    app.inject({
      method: 'POST',
      url,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  const faults = async (url: string, body: unknown) => {
    const reply = await post(url, body)
    assert.equal(reply.statusCode, 422, reply.body)
    return reply.json().errors.map(({ pointer, detail }: Record<string, string>) => `${pointer} ${detail}`)
  }

  await t.test('registers with its types alone, and hears how often to beat', async () => {
    const reply = await post('/workers', { types: ['a.b'] })
    assert.equal(reply.statusCode, 201)
    assert.deepEqual([reply.json().leaseMs, reply.json().heartbeatMs], [30_000, 10_000])
  })

  await t.test('is told of everything that is wrong, and of the nearest name', async () => {
    assert.deepEqual(await faults('/workers', { type: ['a'], concurrency: 0, leaseMs: 1 }), [
      "#/type 'type' is not a known field; did you mean 'types'?",
      '#/concurrency must be a whole number from 1 to 10000',
      '#/leaseMs must be a whole number from 3000 to 3600000',
      '#/types is missing',
    ])
    assert.deepEqual(await faults('/workers/claim', { workerId: 'x', wait: 61 }), [
      '#/workerId must be a UUID',
      '#/wait must be a number of seconds from 0 to 60',
    ])
    assert.deepEqual(await faults('/workers/heartbeat', { workerId: id, tasks: [{ id }, 7] }), [
      '#/tasks/0/attempt is missing',
      '#/tasks/1 must be an object',
    ])
    assert.deepEqual(
      await faults('/workers/finish', {
        workerId: id,
        tasks: [
          { id, attempt: 1 },
          { id, attempt: 1, result: 1, error: { message: '' } },
          { id, attempt: 1, error: { name: 'E', massage: 'x' } },
          { id, attempt: 1, result: 'x'.repeat(1024 * 1024) },
          { id, attempt: 1, release: false },
        ],
      }),
      [
        '#/tasks/0 must have exactly one of result, error and release',
        '#/tasks/1 must have exactly one of result, error and release',
        "#/tasks/2/error/massage 'massage' is not a known field; did you mean 'message'?",
        '#/tasks/2/error/message is missing',
        '#/tasks/3/result has more than 1048576 bytes',
        '#/tasks/4/release must be true',
      ],
    )
    for (const body of ['[]', '7', 'null'])
      assert.equal((await post('/workers/finish', body)).statusCode, 422)
    for (const body of ['', '{', '{"workerId":}'])
      assert.equal((await post('/workers', body)).statusCode, 400)
  })

  await t.test('has its results kept as they were sent, and its errors cut to size', async () => {
    await post(
      '/workers/finish',
      `{"workerId":"${id}","tasks":[{"id":"${id.toUpperCase()}","attempt":3,"result":{"b":1.0, "a":1e400}},` +
        `{"id":"${id}","attempt":4,"error":{"message":"${'x'.repeat(9_000)}"},"retryable":false,"delayMs":5},` +
        `{"id":"${id}","attempt":5,"release":true}]}`,
    )

    const [completed, failed, released] = seen
    assert.deepEqual(completed, {
      id,
      attempt: 3,
      verdict: { kind: 'completed', result: '{"b":1.0, "a":1e400}' },
    })
    const verdict = failed?.verdict
    assert.ok(verdict?.kind === 'failed' && !verdict.retryable && verdict.delayMs === 5)
    assert.deepEqual([verdict.failure.name, verdict.failure.message.length], ['Error', 8 * 1024])
    assert.deepEqual(released?.verdict, { kind: 'interrupted' })
  })

  await t.test('is told when it was given up', async () => {
    const reply = await post('/workers/heartbeat', { workerId: id, tasks: [] })
    assert.equal(reply.statusCode, 404)
    assert.equal(reply.json().code, 'worker-not-found')
  })

  await t.test('cannot leave by a name that is no id', async () => {
    assert.equal((await app.inject({ method: 'DELETE', url: '/workers/x' })).statusCode, 422)
    assert.equal((await app.inject({ method: 'DELETE', url: `/workers/${id}` })).statusCode, 204)
  })
})
