import type { JsonText, PastAttempt, TaskDetail } from './task.ts'

/** What a task was doing, from when to when; `to` is null while it goes on. */
export type Span = {
  kind: 'waiting' | 'attempt' | 'backoff'
  from: string
  to: string | null
  attempt: number | null
  workerId: string | null
  /** Of an attempt: how it ended; null while it runs. */
  outcome: 'completed' | 'failed' | 'canceled' | null
  error: JsonText | null
}

export const markKinds = [
  'submitted',
  'due',
  'sent',
  'claimed',
  'retried',
  'completed',
  'failed',
  'canceled',
] as const
export type Mark = { kind: (typeof markKinds)[number]; at: string }

export type Timeline = { taskId: string; now: string; spans: Span[]; marks: Mark[] }

/** What a timeline is made of beside the task. `failures`: since the last explicit retry. */
export type Past = { now: string; failures: number; sentAt: string | null; claimedAt: string | null }

/**
 * The life of a task on one axis of time, from what is kept of it. Nothing is kept of attempts that ended with their
 * worker, and of retries only the latest is known.
 */
export function timelineOf(task: TaskDetail, past: Past): Timeline {
  const spans = [...pastSpans(task, past), ...latestSpans(task, past)]
  const lasting = spans.filter(({ from, to }) => to === null || to > from)
  return { taskId: task.id, now: past.now, spans: lasting, marks: marksOf(task, past) }
}

/** The attempts that did not complete, and what lay before each. Between its end and its retry a task does nothing. */
function pastSpans({ createdAt, attempts }: TaskDetail, { failures }: Past): Span[] {
  const firstSinceRetry = attempts.length - failures
  return attempts.flatMap((past, i) => {
    const from = past.startedAt ?? past.finishedAt
    if (i === 0) return [quiet('waiting', createdAt, from), failedAttempt(past, from)]
    const before = quiet('backoff', attempts[i - 1]!.finishedAt, from)
    return i === firstSinceRetry ? [failedAttempt(past, from)] : [before, failedAttempt(past, from)]
  })
}

function failedAttempt({ attempt, finishedAt, workerId, error }: PastAttempt, from: string): Span {
  return { kind: 'attempt', from, to: finishedAt, attempt, workerId, outcome: 'failed', error }
}

function quiet(kind: 'waiting' | 'backoff', from: string, to: string | null): Span {
  return { kind, from, to, attempt: null, workerId: null, outcome: null, error: null }
}

/** What came after the last attempt that is kept, and the latest one if it is not kept. */
function latestSpans(task: TaskDetail, past: Past): Span[] {
  const { startedAt, finishedAt, attempts, status, attempt, workerId, error } = task
  const isKept = attempts.some((one) => one.attempt === attempt)
  if (isKept && status === 'failed') return []
  if (isKept || startedAt === null) return untilBegun(task, past, finishedAt)
  const outcome = status === 'completed' || status === 'failed' || status === 'canceled' ? status : null
  const latest: Span = { kind: 'attempt', from: startedAt, to: finishedAt, attempt, workerId, outcome, error }
  return [...untilBegun(task, past, startedAt), latest]
}

/** `end`: when it began or ended; null while it waits. */
function untilBegun({ createdAt, runAt, attempts }: TaskDetail, past: Past, end: string | null): Span[] {
  const last = attempts.at(-1)
  if (!last) return [quiet('waiting', createdAt, end)]
  if (past.failures === 0) return [quiet('waiting', runAt, end)]
  const isDue = runAt <= (end ?? past.now)
  return isDue
    ? [quiet('backoff', last.finishedAt, runAt), quiet('waiting', runAt, end)]
    : [quiet('backoff', last.finishedAt, end)]
}

function marksOf(task: TaskDetail, { failures, sentAt, claimedAt }: Past): Mark[] {
  const { createdAt, runAt, finishedAt, status, attempts } = task
  const isRetried = failures === 0 && attempts.length > 0
  const marks: Mark[] = [{ kind: 'submitted', at: createdAt }]
  if (isRetried) marks.push({ kind: 'retried', at: runAt })
  else if (runAt > createdAt) marks.push({ kind: 'due', at: runAt })
  if (sentAt !== null) marks.push({ kind: 'sent', at: sentAt })
  if (claimedAt !== null) marks.push({ kind: 'claimed', at: claimedAt })
  if (finishedAt !== null && (status === 'completed' || status === 'failed' || status === 'canceled'))
    marks.push({ kind: status, at: finishedAt })
  return marks.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}
