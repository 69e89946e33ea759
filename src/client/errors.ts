import type { Task } from './task.ts'

/** One thing that is wrong, and where: in the body (a JSON pointer such as `#/tasks/17/type`), the query or a header. */
export type FieldProblem = { pointer?: string; parameter?: string; header?: string; detail: string }

type About = {
  status?: number | undefined
  errors?: readonly FieldProblem[]
  task?: Task | undefined
  cause?: unknown
}

/** What every call may fail with. `code` tells failures apart; `status` is there when a server has answered. */
export class MillraceError extends Error {
  readonly code: string
  readonly detail: string
  readonly status: number | undefined
  readonly errors: readonly FieldProblem[]
  /** The task as it is, where that explains a refusal. */
  readonly task: Task | undefined

  constructor(code: string, detail: string, about: About = {}) {
    super(detail, about.cause === undefined ? undefined : { cause: about.cause })
    this.name = 'MillraceError'
    this.code = code
    this.detail = detail
    this.status = about.status
    this.errors = about.errors ?? []
    this.task = about.task
  }
}

/** What was sent is not valid; `errors` says where. */
export class InvalidRequestError extends MillraceError {
  override readonly name: string = 'InvalidRequestError'
}

/** There is no such task. */
export class NotFoundError extends MillraceError {
  override readonly name: string = 'NotFoundError'
}

/** The task's status does not allow it; `task` is the task as it is. */
export class ConflictError extends MillraceError {
  override readonly name: string = 'ConflictError'
}

/** The server is there and cannot work now; what may be repeated was repeated before this was thrown. */
export class UnavailableError extends MillraceError {
  override readonly name: string = 'UnavailableError'
}

/** No server could be reached, or the connection broke before it had answered. */
export class ConnectionError extends MillraceError {
  constructor(detail: string, cause: unknown) {
    super('connection-failed', detail, { cause })
    this.name = 'ConnectionError'
  }
}

/** The awaited task has failed for good; `task.error` says why. */
export class TaskFailedError extends MillraceError {
  constructor(task: Task) {
    super(
      'task-failed',
      `task ${task.id} failed: ${task.error?.name ?? 'Error'}: ${task.error?.message ?? ''}`,
      { task },
    )
    this.name = 'TaskFailedError'
  }
}

/** The awaited task was canceled. */
export class TaskCanceledError extends MillraceError {
  constructor(task: Task) {
    super('task-canceled', `task ${task.id} was canceled`, { task })
    this.name = 'TaskCanceledError'
  }
}

/** The task was not final when the wait ended. It goes on. */
export class TaskTimeoutError extends MillraceError {
  constructor(task: Task, timeoutMs: number) {
    super('task-timeout', `task ${task.id} was still ${task.status} after ${timeoutMs} ms`, { task })
    this.name = 'TaskTimeoutError'
  }
}
