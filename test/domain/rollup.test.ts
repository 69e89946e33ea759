import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { resolutionOf } from '../../src/domain/rollup.ts'

const minuteMs = 60_000
const now = Date.parse('2030-01-31T09:00:00Z')

test('the usual spans have points that can be seen', () => {
  const points = (minutes: number) => {
    const { step } = resolutionOf(now - minutes * minuteMs, now, now)
    return { step, points: minutes / step }
  }
  assert.deepEqual(points(15), { step: 1, points: 15 })
  assert.deepEqual(points(60), { step: 1, points: 60 })
  assert.deepEqual(points(24 * 60), { step: 15, points: 96 })
  assert.deepEqual(points(7 * 24 * 60), { step: 60, points: 168 })
})

test('what is older than the minutes are kept is read from quarters', () => {
  const from = now - 48 * 60 * minuteMs
  assert.deepEqual(resolutionOf(from, from + 30 * minuteMs, now), { minutes: 15, step: 15 })
})

test('a step is made of whole roll-ups, and there are never more than a few hundred', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 31 * 24 * 60 }), fc.nat({ max: 40 * 24 * 60 }), (span, age) => {
      const to = now - age * minuteMs
      const { minutes, step } = resolutionOf(to - span * minuteMs, to, now)
      assert.equal(step % minutes, 0)
      assert.ok(span / step <= 181)
    }),
  )
})
