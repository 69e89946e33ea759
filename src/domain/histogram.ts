/**
 * How many of something took how long, in buckets that grow by a quarter of an octave: bucket 0 is up to 1 ms, bucket
 * n from 2^((n-1)/4) to 2^(n/4) ms. So a quantile is right to within 9 %, in 121 numbers from a millisecond to 12 days.
 */
export type Histogram = readonly number[]

const perOctave = 4
const largestBucket = 30 * perOctave

export function bucketOf(ms: number): number {
  return ms <= 1 ? 0 : Math.min(largestBucket, Math.ceil(Math.log2(ms) * perOctave))
}

/** Counts one more. The array is as long as its largest bucket needs it. */
export function countIn(buckets: number[], ms: number): void {
  const bucket = bucketOf(ms)
  while (buckets.length <= bucket) buckets.push(0)
  buckets[bucket]! += 1
}

export function sumOf(a: Histogram, b: Histogram): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, n) => (a[n] ?? 0) + (b[n] ?? 0))
}

export type Quantiles = { p50: number; p95: number; p99: number }

/** Milliseconds; null when nothing was counted. */
export function quantilesOf(buckets: Histogram): Quantiles | null {
  const total = buckets.reduce((sum, n) => sum + n, 0)
  if (total === 0) return null
  return {
    p50: quantile(buckets, total * 0.5),
    p95: quantile(buckets, total * 0.95),
    p99: quantile(buckets, total * 0.99),
  }
}

/** In proportion within the bucket in which the rank lies. */
function quantile(buckets: Histogram, rank: number): number {
  let below = 0
  for (const [bucket, n] of buckets.entries()) {
    if (n > 0 && below + n >= rank) {
      const low = bucket === 0 ? 0 : 2 ** ((bucket - 1) / perOctave)
      const high = 2 ** (bucket / perOctave)
      return Math.round((low + ((rank - below) / n) * (high - low)) * 10) / 10
    }
    below += n
  }
  return 2 ** (largestBucket / perOctave)
}
