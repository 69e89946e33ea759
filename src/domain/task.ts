/** JSON kept as the text in which it was sent. Nothing here parses it, so `1.0`, `1e400` and key order survive. */
export type JsonText = string

export const statuses = ['scheduled', 'pending', 'processing', 'completed', 'failed', 'canceled'] as const
export type Status = (typeof statuses)[number]

/** The words in the order of their rank: a later one goes first. */
export const priorities = ['low', 'normal', 'high'] as const
export type Priority = (typeof priorities)[number]

const finalStatuses: readonly Status[] = ['completed', 'failed', 'canceled']

/** A final status is left only by an explicit retry. */
export function isFinal(status: Status): boolean {
  return finalStatuses.includes(status)
}

/** A task as clients see it. Instants are RFC 3339 in UTC with milliseconds. */
export type Task = {
  id: string
  type: string
  queue: string
  key: string | null
  status: Status
  priority: Priority
  payload: JsonText
  result: JsonText | null
  error: JsonText | null
  attempt: number
  maxAttempts: number
  batchId: string | null
  idempotencyKey: string | null
  createdAt: string
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  workerId: string | null
}

/** A row of a list: payload and result are there only when they were asked for. */
export type TaskSummary = Omit<Task, 'payload' | 'result'> & { payload?: JsonText; result?: JsonText | null }

/** One attempt that did not complete. */
export type PastAttempt = {
  attempt: number
  error: JsonText
  startedAt: string | null
  finishedAt: string
  workerId: string | null
}

/** How far the latest attempt says it is. `version` grows with each report. */
export type Progress = {
  done: number
  total: number | null
  message: string | null
  at: string
  version: number
}

/** What is kept beside a task. */
export type TaskHistory = { attempts: PastAttempt[]; progress: Progress | null }

export type TaskDetail = Task & TaskHistory
