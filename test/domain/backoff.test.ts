import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from '../../src/domain/backoff.ts'

const failures = fc.integer({ min: 1, max: 100 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const middle = () => 0.5

test('waits 1, 2, 4, … seconds, up to an hour', () => {
  const waits = [1, 2, 3, 4, 12, 13, 100].map((n) => backoffMs(n, middle))
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 2_048_000, 3_600_000, 3_600_000])
})

test('is spread by a fifth to both sides', () => {
  assert.deepEqual([backoffMs(1, () => 0), backoffMs(1, () => 1 - Number.EPSILON)], [800, 1_200])
  fc.assert(
    fc.property(failures, random, (n, r) => {
      const ratio = backoffMs(n, () => r) / backoffMs(n, middle)
      assert.ok(ratio >= 0.8 && ratio <= 1.2)
    }),
  )
})

test('never shrinks from one failure to the next', () => {
  fc.assert(
    fc.property(failures, random, (n, r) => {
      assert.ok(backoffMs(n + 1, () => r) >= backoffMs(n, () => r))
    }),
  )
})

test('is a whole number of milliseconds', () => {
  fc.assert(fc.property(failures, random, (n, r) => Number.isInteger(backoffMs(n, () => r))))
})
