import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureGroup, FailureGroupWish } from '../../src/domain/failure-group.ts'
import { apiWith } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const at = '2030-01-31T09:00:00.000Z'
const group: FailureGroup = {
  fingerprint: '00112233445566aa',
  ...{ name: 'Error', message: 'no user 7', topFrame: null, types: ['a'], queues: ['default'] },
  ...{ count: 3, firstSeenAt: at, lastSeenAt: at, sampleTaskId: '019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10' },
  trend: Array.from({ length: 24 }, () => 0),
}

test('groups of failures come in pages, in the order that was asked for', async (t) => {
  const wishes: FailureGroupWish[] = []
  const next = { value: '3', fingerprint: group.fingerprint }
  const { app } = await apiWith(t, {
    listFailureGroups: async (wish) => {
      wishes.push(wish)
      return { groups: [group], next: wish.after ? null : next }
    },
  })
  const first = (await app.inject('/errors?order=most&limit=1&type=a&queue=q')).json()
  assert.deepEqual(first.data, [group])
  const second = (await app.inject(`/errors?order=most&cursor=${first.page.next}`)).json()
  assert.equal(second.page.next, null)
  assert.deepEqual(wishes, [
    { order: 'most', limit: 1, type: 'a', queue: 'q' },
    { order: 'most', limit: 50, after: next },
  ])
})

test('a cursor of the other order, or none at all, is refused', async (t) => {
  const { app } = await apiWith(t, {
    listFailureGroups: async () => ({
      groups: [group],
      next: { value: '3', fingerprint: group.fingerprint },
    }),
  })
  const { next } = (await app.inject('/errors?order=most')).json().page
  assertProblem(await app.inject(`/errors?cursor=${next}`), 'bad-cursor')
  assertProblem(await app.inject('/errors?cursor=x'), 'bad-cursor')
  assert.deepEqual(faultsOf(await app.inject('/errors?order=best&type=a*&fingerprint=1')), [
    'fingerprint',
    'order',
    'type',
  ])
})
