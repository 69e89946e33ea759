export type Status = 'scheduled' | 'pending' | 'processing' | 'completed' | 'failed' | 'canceled'
export type Priority = 'low' | 'normal' | 'high'

export type StoredError = { name: string; message: string; code?: string; stack?: string; attempt: number }

export type PastAttempt = {
  attempt: number
  error: StoredError
  startedAt: string | null
  finishedAt: string
  workerId: string | null
}

/** How far the latest attempt says it is. */
export type Progress = { done: number; total: number | null; message: string | null; at: string }

/** A task as the server tells it. Instants are RFC 3339 in UTC. */
export type Task<Payload = unknown, Result = unknown> = {
  id: string
  type: string
  queue: string
  key: string | null
  status: Status
  priority: Priority
  payload: Payload
  result: Result | null
  error: StoredError | null
  attempt: number
  maxAttempts: number
  batchId: string | null
  idempotencyKey: string | null
  createdAt: string
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  workerId: string | null
  /** Null while the attempt says nothing; not in lists. */
  progress?: Progress | null
  /** The attempts that did not complete; not in lists. */
  attempts?: PastAttempt[]
}

/** A row of a list: payload and result are there only when they were asked for. */
export type TaskSummary = Omit<Task, 'payload' | 'result' | 'attempts'> & {
  payload?: unknown
  result?: unknown
}

export type TaskPage = {
  data: TaskSummary[]
  /**
   * Cursors: `next` of what is older, `prev` of what is newer. `searchedTo` is set when the server ended its search
   * before the page was full.
   */
  page: { next: string | null; prev: string | null; searchedTo?: string | null }
}

export type SubmitOptions = {
  queue?: string
  /** Whom it is for: in a queue with limits, keys take turns, and each has the limits for a key. */
  key?: string
  priority?: Priority
  /** Milliseconds from now; or `runAt`, an instant. */
  delayMs?: number
  runAt?: string | Date
  maxAttempts?: number
  /** One attempt's limit in milliseconds. */
  timeoutMs?: number
  /** The same key with the same body is the same task. */
  idempotencyKey?: string
  /** Where the task is posted once it is final. */
  callbackUrl?: string
}

export type Submission<Payload = unknown> = SubmitOptions & { payload: Payload; type?: string }

/** Which tasks are meant. Whatever is named must be so. */
export type TaskScope = {
  status?: Status | readonly Status[]
  /** With a `*` at its end: all types that begin so. */
  type?: string
  queue?: string
  key?: string
  batchId?: string
  workerId?: string
  /** Failed tasks whose failures are alike. */
  fingerprint?: string
  /** By the time of creation, such as `<1h`, or `>7d` for older ones. */
  age?: string
  createdAfter?: string | Date
  createdBefore?: string | Date
}

export type TaskFilter = TaskScope & {
  /** Only these, 200 at most, and all on one page. */
  ids?: readonly string[]
  /** Where to begin, as a cursor does: `page.prev` leads to what is newer. */
  at?: string | Date
  /** Rows on a page, 1 to 200. */
  limit?: number
  cursor?: string
  include?: readonly ('payload' | 'result')[]
}

export function isFinal(status: Status): boolean {
  return status === 'completed' || status === 'failed' || status === 'canceled'
}
