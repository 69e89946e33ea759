/** What a script learns from the exit code. */
export const exitCode = {
  ok: 0,
  error: 1,
  usage: 2,
  notFound: 3,
  /** The awaited task failed or was canceled. */
  taskFailed: 4,
  timedOut: 5,
  cannotConnect: 7,
  /** Ctrl-C, as shells have it. */
  interrupted: 130,
} as const

/** The command was called in a way that cannot work. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Something else went wrong and the message says all there is to say, so no stack is shown. */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(message: string, code: number = exitCode.error, cause?: unknown) {
    super(message, { cause })
    this.name = 'CommandFailure'
    this.exitCode = code
  }
}
