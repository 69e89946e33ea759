import type { Histogram } from './histogram.ts'

export type Labels = Readonly<Record<string, string>>

type Sample = { labels?: Labels; value: number }

/** A distribution in seconds, by cumulative counts up to each bound. */
export type Distribution = {
  labels?: Labels
  buckets: readonly { upTo: number; count: number }[]
  count: number
  sum: number
}

/** Something that is measured. Names have their base unit, and `_total` where they only grow. */
export type Metric = { name: string; help: string } & (
  | { kind: 'gauge' | 'counter'; samples: readonly Sample[] }
  | { kind: 'histogram'; samples: readonly Distribution[] }
)

/** What has become of tasks of a queue and type since somebody began to count. */
export type Happened = {
  queue: string
  type: string
  submitted: number
  completed: number
  failed: number
  canceled: number
  waiting: Histogram
  running: Histogram
}

export type HappenedInMinute = Happened & { minuteMs: number }

export type HappenedStore = {
  /** Each minute since `sinceMs`, by the database's clock, which is `nowMs`; of this one only if there is no `sinceMs`. */
  since(sinceMs: number | null): Promise<{ nowMs: number; minutes: HappenedInMinute[] }>
}

const perOctave = 4
/** Of every second octave, in milliseconds: from 1 ms to 4.7 hours in 13 bounds. */
const boundsMs = Array.from({ length: 13 }, (_, n) => 4 ** n)

/** Counts of fine buckets as few and coarse ones. The sum is right to within 9 %, since the fine ones are. */
export function distributionOf(counts: Histogram, labels: Labels): Distribution {
  const buckets = boundsMs.map((ms, n) => ({
    upTo: ms / 1000,
    count: counts.slice(0, n * 2 * perOctave + 1).reduce((sum, count) => sum + count, 0),
  }))
  return {
    labels,
    buckets,
    count: counts.reduce((sum, count) => sum + count, 0),
    sum: counts.reduce((sum, count, n) => sum + count * middleMs(n), 0) / 1000,
  }
}

const middleMs = (bucket: number) => (bucket === 0 ? 0.5 : 2 ** ((bucket - 0.5) / perOctave))
