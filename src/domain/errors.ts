import type { TaskDetail } from './task.ts'

export type ErrorCode =
  | 'task-not-found'
  | 'batch-not-found'
  | 'schedule-not-found'
  | 'bulk-action-not-found'
  | 'bulk-action-over'
  | 'task-not-cancelable'
  | 'task-not-retryable'
  | 'idempotency-key-reused'
  | 'value-not-storable'
  | 'bad-cursor'
  | 'worker-not-found'
  | 'key-not-found'

/** Something a caller may see and act on, told apart by its code. Everything else is an outage or a bug. */
export class TaskError extends Error {
  readonly code: ErrorCode
  /** The task as it is, where that explains the refusal. */
  readonly task: TaskDetail | undefined
  /** Which task of a batch, counted from 0. */
  readonly index: number | undefined

  constructor(code: ErrorCode, message: string, about: { task?: TaskDetail; index?: number } = {}) {
    super(message)
    this.name = 'TaskError'
    this.code = code
    this.task = about.task
    this.index = about.index
  }
}

/** The database cannot answer now. Nothing is known about the statement's effect; it may be repeated. */
export class StoreUnavailableError extends Error {
  constructor(cause: unknown) {
    super(`the database is not available: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
    this.name = 'StoreUnavailableError'
  }
}

/** The database refused the data of one item, for example JSON that it cannot read. Repeating cannot help. */
export class StoreRefusedError extends Error {
  constructor(cause: Error) {
    super(`the database refused the value: ${cause.message}`, { cause })
    this.name = 'StoreRefusedError'
  }
}

/** The broker cannot take a message now. Packets stay in the ledger until it can. */
export class BrokerUnavailableError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'BrokerUnavailableError'
  }
}

/** Thrown by a handler: this task must not be tried again. */
export class NonRetryableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NonRetryableError'
  }
}

/** Thrown by a handler: try again after `delayMs` instead of the usual back-off. It counts as a failure. */
export class RetryLaterError extends Error {
  readonly delayMs: number

  constructor(message: string, options: ErrorOptions & { delayMs: number }) {
    super(message, options)
    this.name = 'RetryLaterError'
    this.delayMs = options.delayMs
  }
}
