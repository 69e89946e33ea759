import type { Status, StoredError } from './task.ts'

/** Why a task does not run, in one sentence, and what it was made of. */
export type Why = {
  taskId: string
  status: Status
  code:
    | 'due-later'
    | 'backing-off'
    | 'queue-paused'
    | 'queue-limit'
    | 'key-limit'
    | 'no-worker-for-queue'
    | 'no-worker-for-type'
    | 'behind-others'
    | 'starting'
    | 'running'
    | 'final'
  sentence: string
  details: Record<string, string | number | null>
}

/** What a task was doing, from when to when; `to` is null while it goes on. */
export type Span = {
  kind: 'waiting' | 'attempt' | 'backoff'
  from: string
  to: string | null
  attempt: number | null
  workerId: string | null
  outcome: 'completed' | 'failed' | 'canceled' | null
  error: StoredError | null
}

export type Mark = {
  kind: 'submitted' | 'due' | 'sent' | 'claimed' | 'retried' | 'completed' | 'failed' | 'canceled'
  at: string
}

export type Timeline = { taskId: string; now: string; spans: Span[]; marks: Mark[] }
