import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { FeedPage } from '../../src/domain/event.ts'
import { apiWith } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const listener = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'
const move = {
  id: listener,
  type: 'a',
  queue: 'q',
  status: 'failed' as const,
  attempt: 2,
  at: '2030-01-31T09:00:00.000Z',
}
const positions = [
  { listener, atMs: 12, after: '10:12:10,11' },
  { listener, atMs: 13, after: '10:12:', page: { upTo: '12:12:', xid: '11', seq: 7 } },
]
const pages: FeedPage[] = [
  { moves: [], position: positions[0]!, missed: true },
  { moves: [move, move], position: positions[1]!, missed: false },
]

test('a page is its events, and then its position', async (t) => {
  const { app } = await apiWith(t, {
    async *followMoves() {
      yield* pages
    },
  })
  const reply = await app.inject('/events')

  assert.equal(reply.statusCode, 200)
  assert.equal(reply.headers['content-type'], 'text/event-stream')
  const event = `event: failed\ndata: ${JSON.stringify(move)}`
  assert.deepEqual(reply.body.split('\n\n'), [
    'retry: 1000',
    'event: missed\ndata: {}',
    `id: ${listener}~12~10:12:10,11`,
    event,
    event,
    `id: ${listener}~13~10:12:~12:12:~11~7`,
    '',
  ])
})

test('filter and position are handed on as they were given', async (t) => {
  const asked: unknown[] = []
  const { app } = await apiWith(t, {
    async *followMoves(filter, { from }) {
      asked.push({ filter, from })
      yield* []
    },
  })
  await app.inject('/events')
  await app.inject({
    url: '/events?type=a&queue=q&status=failed,completed',
    headers: { 'last-event-id': `${listener}~12~10:12:10,11` },
  })
  await app.inject({ url: '/events', headers: { 'last-event-id': `${listener}~13~10:12:~12:12:~11~7` } })

  assert.deepEqual(asked, [
    { filter: {}, from: undefined },
    { filter: { type: 'a', queue: 'q', status: ['failed', 'completed'] }, from: positions[0] },
    { filter: {}, from: positions[1] },
  ])
})

test('what is no filter and no position is refused', async (t) => {
  const { app } = await apiWith(t)
  assert.deepEqual(faultsOf(await app.inject('/events?typ=a')), ['typ'])
  assert.deepEqual(faultsOf(await app.inject('/events?type=&status=done&queue=%00')), [
    'type',
    'queue',
    'status',
  ])
  for (const bad of [
    '1',
    'x~1~1:1:',
    `${listener}~1~1:1`,
    `${listener}~1~1:1:~2:2:`,
    `${listener}~1~1:1:,`,
    `${listener}~~1:1:`,
  ])
    assert.deepEqual(
      faultsOf(await app.inject({ url: '/events', headers: { 'last-event-id': bad } })),
      ['Last-Event-ID'],
      bad,
    )
})

test('a database that is away is a 503 before the stream begins', async (t) => {
  const { app } = await apiWith(t, {
    // biome-ignore lint/correctness/useYield: it does not come to that
    async *followMoves() {
      throw new StoreUnavailableError(new Error('away'))
    },
  })
  assertProblem(await app.inject('/events'), 'store-unavailable')
})
