import type { QueueStats } from './stats.ts'

/** How many run at once and how many start in a second: of the queue over all workers, and of each key in it. */
export type QueueLimits = {
  concurrency: number | null
  ratePerSecond: number | null
  keyConcurrency: number | null
  keyRatePerSecond: number | null
}

export type Queue = QueueLimits &
  QueueStats & {
    name: string
    paused: boolean
    pausedAt: string | null
  }
