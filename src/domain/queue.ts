import type { QueueStats } from './stats.ts'

/** The settings of queues. A queue that has none is not paused and has no limits. */
export type QueueStore = {
  settings(): Promise<Map<string, QueueSettings>>
  /** Changes the limits that are named; null is none. */
  change(queue: string, changes: Partial<QueueLimits>): Promise<void>
  /** Once answered, nothing of the queue starts any more where the pause is known. Twice is no different. */
  pause(queue: string): Promise<void>
  resume(queue: string): Promise<void>
  /** The queues of which workers must not take packets by themselves. */
  gates(): Promise<QueueGate[]>
}

/** How many run at once and how many start in a second: of the queue over all workers, and of each key in it. */
export type QueueLimits = {
  concurrency: number | null
  ratePerSecond: number | null
  keyConcurrency: number | null
  keyRatePerSecond: number | null
}

export type QueueSettings = QueueLimits & { pausedAt: string | null }

/** A queue that is paused, or what starts of it is limited. */
export type QueueGate = { queue: string; isPaused: boolean }

/** A queue as clients see it. */
export type Queue = QueueSettings &
  QueueStats & {
    name: string
    paused: boolean
  }
