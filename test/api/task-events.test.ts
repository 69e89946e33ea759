import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { withHeartbeats } from '../../src/api/event-stream.ts'
import type { TaskDetail } from '../../src/domain/task.ts'
import { until } from '../support/until.ts'
import { apiWith, detailOf, portOf, taskOf } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const id = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'
const url = `/tasks/${id}/events`

async function* each<T>(...values: T[]) {
  yield* values
}

const processing = detailOf(taskOf({}, { id, status: 'processing', attempt: 1, result: null }))
const progress = { done: 1, total: 4, message: 'a\nb', at: '2030-01-31T09:00:00.000Z', version: 3 }

test('a change is an event with its name, its position and the task', async (t) => {
  const done: TaskDetail = { ...processing, status: 'completed', result: '{"n":\n1.0}', progress }
  const { app } = await apiWith(t, {
    followTask: async () => each(processing, { ...processing, progress }, done),
  })

  const reply = await app.inject(url)

  assert.equal(reply.statusCode, 200)
  assert.equal(reply.headers['content-type'], 'text/event-stream')
  assert.equal(reply.headers['cache-control'], 'no-store')
  const [retry, ...blocks] = reply.body.split('\n\n').filter((block) => block !== '')
  assert.equal(retry, 'retry: 1000')
  assert.deepEqual(
    blocks.map((block) => block.split('\n').slice(0, 2)),
    [
      ['id: 1.processing.0', 'event: processing'],
      ['id: 1.processing.3', 'event: progress'],
      ['id: 1.completed.3', 'event: completed'],
    ],
  )
  assert.match(
    blocks[1]!,
    /"progress":\{"done":1,"total":4,"message":"a\\nb","at":"2030-01-31T09:00:00.000Z"\}\}$/,
  )
  assert.match(
    blocks[2]!,
    /"result":\{"n":\ndata: 1\.0\}/,
    'a line end inside of a value begins a line of data',
  )
  assert.ok(!reply.body.includes('"payload"') && !blocks[0]!.includes('"result"'))
})

test('the position that was seen last is handed on', async (t) => {
  const positions: unknown[] = []
  const { app } = await apiWith(t, {
    followTask: async (_id, { seen }) => {
      positions.push(seen)
      return undefined
    },
  })

  const replies = [
    await app.inject({ url, headers: { 'last-event-id': '2.scheduled.7' } }),
    await app.inject({ url, headers: { 'last-event-id': '' } }),
  ]

  assert.deepEqual(positions, [{ attempt: 2, status: 'scheduled', progress: 7 }, undefined])
  assert.deepEqual(
    replies.map(({ statusCode }) => statusCode),
    [204, 204],
  )
})

test('what is no position, no id or no parameter is refused', async (t) => {
  const { app } = await apiWith(t)
  for (const bad of [
    'x',
    '1.done.0',
    '-1.pending.0',
    '1.pending',
    '1.pending.0.0',
    '99999999999.pending.0',
    '\u00ff',
  ])
    assert.deepEqual(
      faultsOf(await app.inject({ url, headers: { 'last-event-id': bad } })),
      ['Last-Event-ID'],
      bad,
    )
  assert.deepEqual(faultsOf(await app.inject('/tasks/x/events')), ['id'])
  assert.deepEqual(faultsOf(await app.inject(`${url}?wait=1`)), ['wait'])
  assertProblem(await app.inject({ method: 'POST', url }), 'method-not-allowed')
})

test('a server that closes ends its streams', async (t) => {
  let aborted = false
  const { app } = await apiWith(t, {
    async followTask(_id, { signal }) {
      return (async function* () {
        yield processing
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        aborted = true
      })()
    },
  })
  const origin = await app.listen({ port: 0 })
  const response = await fetch(`${origin}${url}`)
  const text = response.text()

  await app.close()

  assert.match(await text, /event: processing/)
  assert.ok(aborted)
})

test('a client that leaves ends its stream', async (t) => {
  const left = Promise.withResolvers<void>()
  const { app } = await apiWith(t, {
    async followTask(_id, { signal }) {
      signal.addEventListener('abort', () => left.resolve())
      return (async function* () {
        yield processing
        await left.promise
      })()
    },
  })
  const client = new AbortController()
  await fetch(`${await app.listen({ port: 0 })}${url}`, { signal: client.signal })

  client.abort()

  await left.promise
})

test('a client that does not read is not read for', async (t) => {
  let asked = 0
  const large = detailOf(
    taskOf({}, { id, status: 'completed', result: JSON.stringify('x'.repeat(1024 * 1024)) }),
  )
  const { app } = await apiWith(t, {
    followTask: async () =>
      (async function* () {
        for (; asked < 1_000; asked++) yield large
      })(),
  })
  await app.listen({ port: 0 })
  const socket = connect(portOf(app), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`)
  let before = -1
  await until(
    () => {
      const isStill = asked > 0 && asked === before
      before = asked
      return isStill
    },
    { what: 'no more is asked for' },
  )

  assert.ok(asked < 100, `${asked} MiB were made for nobody`)
})

test('silence is broken by a comment now and then', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const end = Promise.withResolvers<void>()
  const stream = withHeartbeats(
    (async function* () {
      await end.promise
      yield 'event'
    })(),
  )
  await stream.next()
  const first = stream.next()
  await Promise.resolve()
  t.mock.timers.tick(15_000)
  assert.equal((await first).value, ':\n\n')
  const second = stream.next()
  end.resolve()
  assert.equal((await second).value, 'event')
  assert.equal((await stream.next()).done, true)
})
