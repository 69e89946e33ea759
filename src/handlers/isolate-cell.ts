import type { Level, Logger } from 'pino'
import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import type { AbortReason, HearProgress } from './context.ts'
import { type TaskDefinition, timeoutMsOf } from './define-task.ts'
import { type Death, verdictOnDeath } from './isolate-death.ts'
import type { FromChild } from './isolate-messages.ts'
import { type Exit, startIsolatedProcess } from './isolate-process.ts'
import type { Handlers } from './load-handlers.ts'

/** A process that does not notice a deadline itself has blocked its event loop. */
const deadlineGraceMs = 1_000
const longestIdleMs = 10_000

export type Job = { task: ClaimedTask; settle(verdict: Verdict): void }

/** A process and the suspects in it. */
export type Cell = {
  /** How many may run in it. */
  readonly company: number
  /** How many run in it. */
  size(): number
  /** Whether it takes tasks still. */
  isOpen(): boolean
  take(job: Job): void
  abort(job: Job, reason: AbortReason): void
  end(): void
  /** To be called now and then: kills a process that a handler has blocked, ends one that was idle for long. */
  inspect(): void
}

type Deps = { handlers: Handlers; log: Logger; longestBlockMs: number; hear?: HearProgress }

type Options = {
  /** With a company of one, only one task ever runs in it, so that its end has one culprit. */
  company: number
  /** Called once, when the process has ended and all its tasks are settled: whether some had run in it until then. */
  onClose(cell: Cell, wasAtWork: boolean): void
}

export function startCell(
  { handlers: { definitions, path }, log, longestBlockMs, hear: hearProgress }: Deps,
  { company, onClose }: Options,
): Cell {
  const isSolitary = company === 1
  const process = startIsolatedProcess({ path, logLevel: log.level }, { onMessage: hear, onClose: close })
  const jobs = new Map<string, Job & { dueAtMs: number; sent: number }>()
  let state: 'starting' | 'ready' | 'ending' = 'starting'
  let busyAtMs = performance.now()
  let heardAtMs = busyAtMs
  /** Why it could not start, or why it was killed. */
  let reason: string | undefined
  let hasTimedOut = false
  let fatal: Death['fatal']
  const cell: Cell = { company, size: () => jobs.size, isOpen, take, abort, end, inspect }
  return cell

  function isOpen() {
    return state !== 'ending' && !reason && !fatal
  }

  function take(job: Job) {
    jobs.set(job.task.id, { ...job, dueAtMs: Number.POSITIVE_INFINITY, sent: 0 })
    if (state === 'ready') begin(job.task)
  }

  function begin({ id, attempt }: Pick<ClaimedTask, 'id' | 'attempt'>) {
    const job = jobs.get(id)
    if (job?.task.attempt !== attempt) return
    job.dueAtMs = dueAtMsOf(job.task, definitions.get(job.task.type))
    // What was said meanwhile is heard first: it may be that the task was canceled.
    setImmediate(() => jobs.get(id) === job && process.run(job.task, job.sent++))
  }

  function hear(message: FromChild) {
    heardAtMs = performance.now()
    if (message.kind === 'unready') reason = message.message
    if (message.kind === 'fatal') fatal ??= message
    if (message.kind === 'log' || message.kind === 'progress') relay(message, log, hearProgress)
    if (message.kind === 'stale') begin(message)
    if (message.kind === 'verdict') settle(message.id, message.attempt, message.verdict)
    if (message.kind === 'ready' && state === 'starting') {
      state = 'ready'
      for (const { task } of jobs.values()) begin(task)
    }
  }

  function settle(id: string, attempt: number, verdict: Verdict) {
    const job = jobs.get(id)
    if (job?.task.attempt !== attempt) return
    jobs.delete(id)
    busyAtMs = performance.now()
    // What a suspect has left behind may still go off, so a cell for one is not used again.
    if (isSolitary) end()
    job.settle(verdict)
  }

  function abort({ task: { id, attempt } }: Job, reason: AbortReason) {
    process.send({ kind: 'abort', id, attempt, reason })
    settle(id, attempt, { kind: 'interrupted' })
  }

  function end() {
    state = 'ending'
    process.end()
  }

  function inspect() {
    if (state === 'ending' || reason) return
    const nowMs = performance.now()
    if (jobs.size === 0 && nowMs - busyAtMs > longestIdleMs) return end()
    hasTimedOut = [...jobs.values()].some(({ dueAtMs }) => dueAtMs < nowMs)
    if (!hasTimedOut && nowMs - heardAtMs < longestBlockMs) return
    reason = killedAt(hasTimedOut ? 'a time limit' : `${longestBlockMs} ms`)
    process.kill()
  }

  function close(exit: Exit) {
    const wasReady = state !== 'starting'
    state = 'ending'
    const death: Death = { exit, wasReady, isSolitary, hasTimedOut, reason, fatal }
    const wasAtWork = wasReady && jobs.size > 0
    for (const { task } of jobs.values())
      settle(task.id, task.attempt, verdictOnDeath(task, death, definitions.get(task.type)))
    onClose(cell, wasAtWork)
  }
}

function dueAtMsOf(task: ClaimedTask, definition: TaskDefinition | undefined): number {
  const timeoutMs = timeoutMsOf(task, definition) ?? Number.POSITIVE_INFINITY
  return performance.now() + timeoutMs + deadlineGraceMs
}

function killedAt(limit: string): string {
  return `it was killed, because its event loop had been blocked beyond ${limit}`
}

type Passed = Extract<FromChild, { kind: 'log' | 'progress' }>

/** Passes on what an isolated process says as if it had been said in this one. */
function relay(message: Passed, log: Logger, hearProgress?: HearProgress) {
  if (message.kind === 'progress') return hearProgress?.(message.report)
  const {
    level,
    time: _,
    msg,
    ...rest
  } = JSON.parse(message.line) as { level: Level; time: number; msg?: string }
  log[level](rest, msg)
}
