import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import { apiWith, someStats } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const newestTaskId = '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'

test('how the system stands is an event each time', async (t) => {
  const { app } = await apiWith(t, {
    async *followStats() {
      yield { ...someStats, newestTaskId: null }
      yield { ...someStats, newestTaskId }
    },
  })
  const reply = await app.inject('/live')
  assert.equal(reply.headers['content-type'], 'text/event-stream')
  const [retry, first, second, end] = reply.body.split('\n\n')
  assert.deepEqual([retry, end], ['retry: 1000', ''])
  const bodyOf = (event: string) => JSON.parse(event.replace('event: stats\ndata: ', ''))
  assert.deepEqual(bodyOf(first!), { ...someStats, newestTaskId: null })
  assert.equal(bodyOf(second!).newestTaskId, newestTaskId)
})

test('a database that is away is a 503, and no parameter is known', async (t) => {
  const { app } = await apiWith(t, {
    // biome-ignore lint/correctness/useYield: it fails before it has anything to tell
    async *followStats() {
      throw new StoreUnavailableError('away')
    },
  })
  assertProblem(await app.inject('/live'), 'store-unavailable')
  assert.deepEqual(faultsOf(await app.inject('/live?every=1')), ['every'])
})
