import type { JsonText, PastAttempt, Progress, TaskHistory } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import type { Database } from './connection.ts'

const readHistories = {
  name: 'attempts.read',
  text: `
  select task_id, attempt, error, started_at, finished_at, worker_id, null::float8, null::float8, null, null::int
    from attempts
   where task_id = any ($1::uuid[])
  union all
  select task_id, attempt, null, null, reported_at, null, done, total, message, version
    from progress
   where task_id = any ($1::uuid[])`,
}

type AttemptRow = [
  taskId: string,
  attempt: number,
  error: JsonText,
  startedAt: Date | null,
  finishedAt: Date,
  workerId: string | null,
  ...progress: null[],
]

type ProgressRow = [
  taskId: string,
  attempt: number,
  error: null,
  startedAt: null,
  reportedAt: Date,
  workerId: null,
  done: number,
  total: number | null,
  message: string | null,
  version: number,
]

type HistoryRow = AttemptRow | ProgressRow

/** What is kept beside tasks; answers how to ask for one of them. */
export async function histories(
  { run }: Database,
  ids: readonly string[],
): Promise<(task: { id: string; attempt: number }) => TaskHistory> {
  const byTask = new Map<string, HistoryRow[]>()
  for (const row of await run<HistoryRow>(readHistories, [uuids(ids)])) {
    const rows = byTask.get(row[0])
    if (rows) rows.push(row)
    else byTask.set(row[0], [row])
  }
  return (task) => historyIn(byTask.get(task.id) ?? [], task.attempt)
}

/** What an attempt before the latest said of its progress is over. */
function historyIn(rows: readonly HistoryRow[], latestAttempt: number): TaskHistory {
  const attempts = rows.filter(isAttempt).map(toAttempt)
  const progress = rows.find((row) => !isAttempt(row) && row[1] === latestAttempt) as ProgressRow | undefined
  return {
    attempts: attempts.sort((a, b) => a.attempt - b.attempt),
    progress: progress ? toProgress(progress) : null,
  }
}

function isAttempt(row: HistoryRow): row is AttemptRow {
  return row[2] !== null
}

function toAttempt([, attempt, error, startedAt, finishedAt, workerId]: AttemptRow): PastAttempt {
  return {
    attempt,
    error,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt.toISOString(),
    workerId,
  }
}

function toProgress([, , , , at, , done, total, message, version]: ProgressRow): Progress {
  return { done, total, message, at: at.toISOString(), version }
}
