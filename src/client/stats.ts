import type { Status } from './task.ts'

export type Counts = Record<Status, number>

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

/** The same at a moment, with the newest task. */
export type Snapshot = Stats & { newestTaskId: string | null }

export type Quantiles = { p50: number; p95: number; p99: number }

export type HistoryQuery = {
  range?: '15m' | '1h' | '24h' | '7d'
  from?: string
  to?: string
  queue?: string
  type?: string
}

/** Points in equal steps, oldest first: what happened from each until the next. */
export type History = {
  from: string
  to: string
  stepMs: number
  points: {
    at: string
    submitted: number
    completed: number
    failed: number
    canceled: number
    pending: number
    processing: number
    oldestPendingAgeMs: number | null
    waitingMs: Quantiles | null
    runningMs: Quantiles | null
  }[]
}

export type WorkerInfo = {
  id: string
  host: string
  pid: number
  version: string
  queues: string[]
  types: string[]
  concurrency: number
  running: number
  startedAt: string
  lastSeenAt: string
}
