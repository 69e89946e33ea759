import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressReport } from '../../src/domain/progress.ts'

const attempt = { id: 'a', attempt: 2 }

test('a report says of which attempt it is, and null for what was left open', () => {
  assert.deepEqual(progressReport(attempt, 3, { total: 10, message: 'rows' }), {
    id: 'a',
    attempt: 2,
    done: 3,
    total: 10,
    message: 'rows',
  })
  assert.deepEqual(progressReport(attempt, 0.5, {}), { ...attempt, done: 0.5, total: null, message: null })
})

test('a message is made fit to be stored', () => {
  const messageOf = (message: string) => progressReport(attempt, 1, { message }).message

  assert.equal(messageOf('a\0b\ud800c'), 'ab\ufffdc')
  assert.equal(messageOf('😀'.repeat(400))?.length, 500)
  assert.ok(messageOf('😀'.repeat(400))?.isWellFormed())
})

for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY, '5', null, undefined]) {
  test(`${String(bad)} as an amount is refused with a sentence`, () => {
    assert.throws(() => progressReport(attempt, bad as number, {}), /done must be a number from 0 on/)
  })
}

test('a total of nonsense is refused', () => {
  assert.throws(() => progressReport(attempt, 1, { total: Number.NaN }), /total must be a number from 0 on/)
})
