import { CommanderError } from 'commander'
import {
  BatchTimeoutError,
  ConnectionError,
  MillraceError,
  TaskCanceledError,
  TaskFailedError,
  TaskTimeoutError,
} from '../client/index.ts'
import { ConfigError } from '../runtime/config.ts'
import { CommandFailure, exitCode, UsageError } from './exit-code.ts'
import { say } from './words.ts'

/** Says on stderr what went wrong and what to do about it, and answers the exit code. */
export function report(error: unknown): number {
  // commander has said it already: an error with its suggestion, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
  say(sentenceFor(error))
  return exitCodeFor(error)
}

export function exitCodeFor(error: unknown): number {
  if (error instanceof UsageError || error instanceof ConfigError) return exitCode.usage
  if (error instanceof CommandFailure) return error.exitCode
  if (error instanceof ConnectionError) return exitCode.cannotConnect
  if (error instanceof TaskTimeoutError || error instanceof BatchTimeoutError) return exitCode.timedOut
  if (error instanceof TaskFailedError || error instanceof TaskCanceledError) return exitCode.taskFailed
  if (!(error instanceof MillraceError)) return exitCode.error
  if (error.status === 404) return exitCode.notFound
  return error.status === 400 || error.status === 422 ? exitCode.usage : exitCode.error
}

function sentenceFor(error: unknown): string {
  if (error instanceof ConnectionError) {
    return `error: ${error.detail}\nStart a Millrace with \`npm start\`, or say where one is with MILLRACE_URL or --url.`
  }
  if (error instanceof MillraceError)
    return `error: ${[error.detail, ...fieldsOf(error), ...adviceFor(error)].join('\n')}`
  if (isForPeople(error)) return `error: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function fieldsOf({ errors, detail: whole }: MillraceError): string[] {
  return errors
    .filter(({ detail }) => !whole.includes(detail))
    .map(
      ({ pointer, parameter, header, detail }) => `  ${[pointer ?? parameter ?? header, detail].join(': ')}`,
    )
}

function adviceFor({ status }: MillraceError): string[] {
  if (status === 401 || status === 403)
    return ['Give one of the API_KEYS of the server with MILLRACE_API_KEY or --api-key.']
  if (status === 503) return ['The server is there and cannot work now; try again in a moment.']
  return []
}

/** Errors whose message is a sentence for who typed the command; of all others the stack is needed. */
function isForPeople(error: unknown): error is Error {
  const names = ['UsageError', 'CommandFailure', 'ConfigError', 'EmbeddedError']
  return error instanceof Error && (names.includes(error.name) || isSystemError(error))
}

function isSystemError(error: Error): boolean {
  return 'code' in error && /^E[A-Z]+$/.test(String(error.code))
}
