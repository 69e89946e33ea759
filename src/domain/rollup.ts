import type { Histogram, Quantiles } from './histogram.ts'

/** How long tasks of a queue and type have waited and run, since this was last written. */
export type Times = { queue: string; type: string; waiting: Histogram; running: Histogram }

/** Hears of every attempt, as cheaply as can be: nothing is stored here and now. */
export type Tally = {
  waited(task: { queue: string; type: string; waitedMs: number }): void
  ran(task: { queue: string; type: string }, ms: number): void
}

/** Left out, a name means all of them. */
export type HistoryWish = { from: string; to: string; queue?: string; type?: string }

/** From `from` on, in equal steps; a point is what happened until the next one. */
export type History = { from: string; to: string; stepMs: number; points: HistoryPoint[] }

export type HistoryPoint = {
  at: string
  submitted: number
  completed: number
  failed: number
  canceled: number
  /** As counted last in that time, like the two below. */
  pending: number
  processing: number
  oldestPendingAgeMs: number | null
  /** From being due to the beginning of an attempt; null when nothing began. */
  waitingMs: Quantiles | null
  runningMs: Quantiles | null
}

/** What happened when. Each may be done by any number of processes at the same time. */
export type RollupStore = {
  addTimes(times: readonly Times[]): Promise<void>
  /** Writes what the counts have become since somebody did so last, if that is ten seconds ago. */
  count(): Promise<void>
  forget(): Promise<void>
  read(wish: HistoryWish): Promise<History>
}

const minuteMs = 60_000
/** Minutes are kept a little longer than a day, quarters of an hour for nine. */
export const keptMs = { 1: 25 * 60 * minuteMs, 15: 9 * 24 * 60 * minuteMs } as const
const mostPoints = 180
const steps = [1, 5, 15, 30, 60, 120, 240, 720, 1_440, 2_880]

/** Which roll-ups a span is read from, and how many minutes a point has: so few points that they can be seen. */
export function resolutionOf(fromMs: number, toMs: number, nowMs: number): { minutes: 1 | 15; step: number } {
  const spanMinutes = Math.max(1, (toMs - fromMs) / minuteMs)
  const minutes = spanMinutes <= 360 && nowMs - fromMs < keptMs[1] ? 1 : 15
  const fits = (step: number) => step >= minutes && spanMinutes / step <= mostPoints
  return { minutes, step: steps.find(fits) ?? steps.at(-1)! }
}
