import type { Status } from './task.ts'

export type Counts = Record<Status, number>

/** How the whole system stands at a moment. */
export type Snapshot = Stats & { newestTaskId: string | null }

/** How it stands with one queue. */
export type QueueStats = {
  counts: Counts
  oldestPendingAgeMs: number | null
  workers: number
  slots: number
  /** What comes and what ends (completed or failed), over the last minute or two. */
  submittedPerSecond: number
  endedPerSecond: number
  /** Until nothing is pending if it goes on like this; null when nothing is, or it does not get less. */
  drainsInMs: number | null
}

export type Stats = {
  total: number
  counts: Counts
  queues: ({ queue: string } & QueueStats)[]
  /** `served`: a live worker has a handler for the type. */
  types: { type: string; counts: Counts; served: boolean }[]
  /** Types with unfinished tasks for which no live worker has a handler. */
  unserved: string[]
  rates: {
    windowMs: number
    submittedPerSecond: number
    completedPerSecond: number
    failedPerSecond: number
    canceledPerSecond: number
  }
  oldestPendingAgeMs: number | null
}
