import type { PastAttempt, Progress, Task, TaskDetail, TaskSummary } from '../domain/task.ts'

/** A task as JSON. Payload, result and error are put in as the texts that they are, never parsed. */
export function taskJson(task: Task): string {
  return `{${members(task)}}`
}

/** As `taskJson`, with what is kept beside the task. */
export function taskDetailJson(task: TaskDetail): string {
  return `{${members(task)},"progress":${progressJson(task.progress)},"attempts":[${task.attempts.map(attemptJson).join(',')}]}`
}

/** A task that has changed: as in a list, with its progress, and its result once it has one. */
export function taskEventJson(task: TaskDetail): string {
  const { payload: _, result, ...rest } = task
  const summary = task.status === 'completed' ? { ...rest, result } : rest
  return `{${members(summary)},"progress":${progressJson(task.progress)}}`
}

/** A row of a list, with payload and result where the row has them. */
export function taskSummaryJson(task: TaskSummary): string {
  return `{${members(task)}}`
}

function members(task: TaskSummary): string {
  const payload = task.payload === undefined ? '' : `,"payload":${task.payload}`
  const result = task.result === undefined ? '' : `,"result":${task.result ?? 'null'}`
  return (
    `"id":"${task.id}","type":${JSON.stringify(task.type)},"queue":${JSON.stringify(task.queue)}` +
    `,"key":${JSON.stringify(task.key)},"status":"${task.status}","priority":"${task.priority}"${payload}${result},"error":${task.error ?? 'null'}` +
    `,"attempt":${task.attempt},"maxAttempts":${task.maxAttempts},"batchId":${quoted(task.batchId)}` +
    `,"idempotencyKey":${JSON.stringify(task.idempotencyKey)},"createdAt":"${task.createdAt}"` +
    `,"runAt":"${task.runAt}","startedAt":${quoted(task.startedAt)},"finishedAt":${quoted(task.finishedAt)}` +
    `,"workerId":${JSON.stringify(task.workerId)}`
  )
}

function progressJson(progress: Progress | null): string {
  if (!progress) return 'null'
  const { done, total, message, at } = progress
  return JSON.stringify({ done, total, message, at })
}

function attemptJson({ attempt, error, startedAt, finishedAt, workerId }: PastAttempt): string {
  return (
    `{"attempt":${attempt},"error":${error},"startedAt":${quoted(startedAt)}` +
    `,"finishedAt":"${finishedAt}","workerId":${JSON.stringify(workerId)}}`
  )
}

/** For ids and instants of the database's making, which need no escapes. */
function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`
}
