import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketOf, countIn, quantilesOf, sumOf } from '../../src/domain/histogram.ts'

const anyMs = fc.double({ min: 0, max: 2 ** 30, noNaN: true })
const anyTimes = fc.array(anyMs, { minLength: 1, maxLength: 300 })

function histogramOf(times: readonly number[]): number[] {
  const buckets: number[] = []
  for (const ms of times) countIn(buckets, ms)
  return buckets
}

test('a longer time is never in a lower bucket', () => {
  fc.assert(fc.property(anyMs, anyMs, (a, b) => a > b || bucketOf(a) <= bucketOf(b)))
})

test('quantiles are within a quarter of an octave of the real ones', () => {
  fc.assert(
    fc.property(anyTimes, (times) => {
      const sorted = times.toSorted((a, b) => a - b)
      const quantiles = quantilesOf(histogramOf(times))!
      for (const [name, part] of [
        ['p50', 0.5],
        ['p95', 0.95],
        ['p99', 0.99],
      ] as const) {
        const real = Math.max(1, sorted[Math.ceil(part * times.length) - 1]!)
        assert.ok(quantiles[name] <= real * 2 ** 0.25 + 0.1, `${name}: ${quantiles[name]} of ${real}`)
        assert.ok(quantiles[name] >= real / 2 ** 0.25 - 1, `${name}: ${quantiles[name]} of ${real}`)
      }
    }),
  )
})

test('sums of histograms are the histogram of everything', () => {
  fc.assert(
    fc.property(anyTimes, anyTimes, (a, b) => {
      assert.deepEqual(sumOf(histogramOf(a), histogramOf(b)), histogramOf([...a, ...b]))
    }),
  )
})

test('nothing has no quantiles', () => {
  assert.equal(quantilesOf([]), null)
  assert.equal(quantilesOf([0, 0]), null)
})
