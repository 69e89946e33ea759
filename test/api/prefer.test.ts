import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UseCases } from '../../src/usecases/index.ts'
import { apiWith, detailOf, taskOf } from './api-under-test.ts'
import { faultsOf } from './problem-check.ts'

async function submittingApi(t: Parameters<typeof apiWith>[0], some: Partial<UseCases> = {}) {
  const waits: number[] = []
  const { app } = await apiWith(t, {
    async awaitTask(id, waitMs) {
      waits.push(waitMs)
      return detailOf(taskOf({}, { id, status: 'completed', result: '1.0' }))
    },
    ...some,
  })
  const submit = (prefer: string) =>
    app.inject({
      method: 'POST',
      url: '/tasks',
      body: '{"payload":1}',
      headers: { 'content-type': 'application/json', prefer },
    })
  return { submit, waits }
}

test('a submission that prefers to wait is answered when its task is final', async (t) => {
  const { submit, waits } = await submittingApi(t)
  for (const prefer of [
    'wait=10',
    'respond-async, WAIT = 10',
    'wait="10"; x=1, return=minimal',
    'wait=9999',
  ]) {
    const reply = await submit(prefer)
    assert.equal(reply.statusCode, 201, prefer)
    assert.match(reply.body, /"status":"completed".*"result":1\.0/)
    assert.match(String(reply.headers['preference-applied']), /^wait=(10|60)$/)
    assert.ok(reply.headers.location)
  }
  assert.deepEqual(waits, [10_000, 10_000, 10_000, 60_000])
})

test('without a wait nothing is waited for', async (t) => {
  const { submit, waits } = await submittingApi(t)
  for (const prefer of ['', 'respond-async', 'waiting=1', 'return=minimal']) {
    const reply = await submit(prefer)
    assert.equal(reply.json().status, 'pending', prefer)
    assert.equal(reply.headers['preference-applied'], undefined)
  }
  assert.deepEqual(waits, [])
})

test('a wait that is no number of seconds is refused, and nothing is stored', async (t) => {
  let stored = 0
  const { submit } = await submittingApi(t, {
    async submitTask(submission) {
      stored++
      return { task: taskOf(submission), replayed: false }
    },
  })
  for (const prefer of ['wait', 'wait=', 'wait=x', 'wait=-1', 'wait=1.5', 'wait=1 2', 'wait;q=1'])
    assert.deepEqual(faultsOf(await submit(prefer)), ['Prefer'], prefer)
  assert.equal(stored, 0)
})

test('what is stored is answered, although it can no longer be waited for', async (t) => {
  const { submit } = await submittingApi(t, {
    awaitTask: () => Promise.reject(new Error('the database went away')),
  })
  const reply = await submit('wait=10')
  assert.equal(reply.statusCode, 201)
  assert.equal(reply.json().status, 'pending')
})
