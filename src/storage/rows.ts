import { defaultMaxAttempts } from '../domain/submission.ts'
import { type JsonText, type Priority, priorities, type Status, type Task } from '../domain/task.ts'

/** The columns of a task without its large values, in the order of `TaskRow`. */
export const taskColumns = `
  t.id, t.type, t.queue, t.status, t.priority, t.error, t.attempt, t.max_attempts, t.batch_id,
  t.idempotency_key, t.created_at, t.run_at, t.started_at, t.finished_at, t.worker_id, t.key`

export type TaskRow = [
  id: string,
  type: string,
  queue: string,
  status: Status,
  priority: number,
  error: JsonText | null,
  attempt: number,
  maxAttempts: number | null,
  batchId: string | null,
  idempotencyKey: string | null,
  createdAt: Date,
  runAt: Date | null,
  startedAt: Date | null,
  finishedAt: Date | null,
  workerId: string | null,
  key: string | null,
]

/** The same with payload and result, in the order of `WholeTaskRow`. */
export const wholeTask = `${taskColumns}, t.payload, t.result`

export type WholeTaskRow = [...TaskRow, payload: JsonText, result: JsonText | null]

export function toWholeTask(row: WholeTaskRow): Task {
  const [payload, result] = row.slice(-2) as [JsonText, JsonText | null]
  return { ...toTask(row.slice(0, -2) as TaskRow), payload, result }
}

/** A row as clients see it, without payload and result. */
export function toTask(row: TaskRow): Omit<Task, 'payload' | 'result'> {
  const [id, type, queue, status, priority, error, attempt, maxAttempts, batchId, idempotencyKey] = row
  const [, , , , , , , , , , createdAt, runAt, startedAt, finishedAt, workerId, key] = row
  return {
    id,
    type,
    queue,
    key,
    status,
    priority: priorityOf(priority),
    error,
    attempt,
    maxAttempts: maxAttempts ?? defaultMaxAttempts,
    batchId,
    idempotencyKey,
    createdAt: createdAt.toISOString(),
    runAt: (runAt ?? createdAt).toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    workerId,
  }
}

export function priorityOf(rank: number): Priority {
  return priorities[rank] ?? 'normal'
}

export function rankOf(priority: Priority): number {
  return priorities.indexOf(priority)
}
