import type { Logger } from 'pino'
import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import { type ProgressReport, progressReport } from '../domain/progress.ts'

/** What a handler gets beside its input. */
export type TaskContext = {
  readonly id: string
  readonly type: string
  /** The number of this attempt, from 1; it grows with every run of the task, whatever ended the one before. */
  readonly attempt: number
  /**
   * Aborts when the attempt's work is not wanted any more. `signal.reason` is a TimeoutError at `timeoutMs`,
   * else an AbortError with the `code` canceled, lost (the task is another worker's now) or shutdown.
   */
  readonly signal: AbortSignal
  /** Writes lines that carry the task's id, type and attempt. */
  readonly log: Logger
  /** The payload as it was sent, for numbers that JavaScript cannot hold. */
  readonly payloadText: string
  /**
   * Says how far this attempt is, for everybody who looks at the task. Returns at once and may be called as often as
   * there is something to say: what is stored is the latest, a few times a second.
   */
  readonly progress: ReportProgress
}

/** `done` of `total`, in whatever unit; `message` is cut to 500 characters. */
export type ReportProgress = (done: number, total?: number, message?: string) => void

/** What a batch handler gets beside its inputs. */
export type BatchContext = {
  readonly type: string
  /** The tasks, in the order of their inputs. */
  readonly tasks: readonly Pick<TaskContext, 'id' | 'attempt' | 'payloadText' | 'progress'>[]
  /** Aborts once none of the tasks is wanted any more. */
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Why an attempt is ended from outside: a client canceled it, the fence passed it by, or the worker stops. */
export type AbortReason = 'canceled' | 'lost' | 'shutdown'

/** One attempt in flight. */
export type Attempt = {
  readonly task: ClaimedTask
  readonly resolve: (verdict: Verdict) => void
  ended: boolean
  /** The place of its deadline. */
  tick: number | undefined
  /** Set once the attempt was ended from outside. */
  abortedBy: Error | undefined
  /** Whoever wants to hear of that. */
  onAbort: ((reason: Error) => void) | undefined
}

const reasons: Record<AbortReason, string> = {
  canceled: 'the task was canceled',
  lost: 'the attempt is over: the task has moved on without this worker',
  shutdown: 'the worker is stopping',
}

/** The reason of a `signal` that aborts although no time limit passed. */
export class AbortError extends Error {
  readonly code: AbortReason

  constructor(code: AbortReason) {
    super(reasons[code])
    this.name = 'AbortError'
    this.code = code
  }
}

/** The time limit of an attempt passed. */
export class TimeoutError extends Error {
  constructor(timeoutMs: number | undefined) {
    super(`the attempt took longer than its ${timeoutMs} ms`)
    this.name = 'TimeoutError'
    delete this.stack
  }
}

/** Takes what handlers say about their progress. */
export type HearProgress = (report: ProgressReport) => void

/** What an attempt says when it is over is dropped. */
export function reporterOf(attempt: Attempt, hear: HearProgress): ReportProgress {
  return (done, total, message) => {
    if (!attempt.ended) hear(progressReport(attempt.task, done, { total, message }))
  }
}

/** A class for its accessors: on literals they cost 600 bytes and 1.4 µs an attempt. */
class SingleContext implements TaskContext {
  readonly #attempt: Attempt
  readonly #log: Logger
  readonly #hear: HearProgress
  #ownLog: Logger | undefined
  #controller: AbortController | undefined

  constructor(attempt: Attempt, log: Logger, hear: HearProgress) {
    this.#attempt = attempt
    this.#log = log
    this.#hear = hear
  }

  get id() {
    return this.#attempt.task.id
  }

  get type() {
    return this.#attempt.task.type
  }

  get attempt() {
    return this.#attempt.task.attempt
  }

  get payloadText() {
    return this.#attempt.task.payload
  }

  get log() {
    this.#ownLog ??= this.#log.child({ taskId: this.id, type: this.type, attempt: this.attempt })
    return this.#ownLog
  }

  get progress() {
    return reporterOf(this.#attempt, this.#hear)
  }

  /** Made when it is first asked for: it costs more than all the rest of an attempt. */
  get signal() {
    this.#controller ??= controllerOf(this.#attempt)
    return this.#controller.signal
  }
}

export function contextOf(attempt: Attempt, log: Logger, hear: HearProgress): TaskContext {
  return new SingleContext(attempt, log, hear)
}

function controllerOf(attempt: Attempt): AbortController {
  const controller = new AbortController()
  if (attempt.abortedBy) controller.abort(attempt.abortedBy)
  attempt.onAbort = (reason) => controller.abort(reason)
  return controller
}
