import { inspect, types } from 'node:util'
import { NonRetryableError } from '../domain/errors.ts'
import type { Failure, Verdict } from '../domain/outcome.ts'

const nameBytes = 256
const codeBytes = 256
const messageBytes = 8 * 1024
const stackBytes = 16 * 1024
const deepestCause = 5
const deepestClass = 20
const longestDelayMs = 10 * 365 * 24 * 3_600_000

/** A payload that is not what the task's schema says. Running again cannot help. */
export class InvalidInputError extends NonRetryableError {
  constructor(message: string) {
    super(message)
    this.name = 'InvalidInputError'
    delete this.stack
  }
}

/** A result that cannot be stored. Not tried again: the work was done, and would most likely return the same. */
export class InvalidResultError extends NonRetryableError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'InvalidResultError'
    delete this.stack
  }
}

/** The process in which the task ran apart from others ended under it. */
export class WorkerLostError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'WorkerLostError'
    delete this.stack
  }
}

/** The verdict on an attempt whose handler threw `thrown`, which may be anything. Never throws. */
export function failedBy(thrown: unknown, attempt: number, maxAttempts: number | undefined): Verdict {
  const delayMs = isOfKind(thrown, 'RetryLaterError') ? delayOf(thrown) : undefined
  return {
    kind: 'failed',
    failure: failureOf(thrown, attempt),
    retryable: !isOfKind(thrown, 'NonRetryableError'),
    ...(delayMs !== undefined && { delayMs }),
    ...(maxAttempts !== undefined && { maxAttempts }),
  }
}

/** Reads what was thrown into bounded, well-formed text. Never throws, whatever getters and proxies do. */
export function failureOf(thrown: unknown, attempt: number): Failure {
  const code = textOf(read(thrown, 'code'))
  const stack = stackOf(thrown)
  return {
    name: bounded(textOf(read(thrown, 'name')) || 'Error', nameBytes),
    message: bounded(messageOf(thrown), messageBytes),
    ...(code && { code: bounded(code, codeBytes) }),
    ...(stack && { stack: bounded(stack, stackBytes) }),
    attempt,
  }
}

/** Unbounded. Never throws. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  const message = read(thrown, 'message')
  if (typeof message === 'string' && message !== '') return message
  return isError(thrown)
    ? (textOf(read(thrown, 'code')) ?? 'no message')
    : `the handler threw ${shown(thrown)}`
}

/** The stack, followed by those of its causes: often the only place that tells what went wrong. */
function stackOf(thrown: unknown): string | undefined {
  const parts = [textOf(read(thrown, 'stack'))]
  let cause = read(thrown, 'cause')
  for (let depth = 1; cause !== undefined && cause !== null && depth <= deepestCause; depth++) {
    const text = textOf(read(cause, 'stack')) ?? textOf(read(cause, 'message')) ?? shown(cause)
    parts.push(`Caused by: ${text.slice(0, stackBytes)}`)
    cause = read(cause, 'cause')
  }
  return parts.filter((part) => part !== undefined).join('\n') || undefined
}

/** By the names of its classes, because a handler may use another copy of this package. */
function isOfKind(thrown: unknown, name: string): boolean {
  if (read(thrown, 'name') === name) return true
  let link = thrown
  for (let depth = 0; depth < deepestClass && typeof link === 'object' && link !== null; depth++) {
    if (read(read(link, 'constructor'), 'name') === name) return true
    link = prototypeOf(link)
  }
  return false
}

function prototypeOf(value: object): unknown {
  try {
    return Object.getPrototypeOf(value)
  } catch {
    return null
  }
}

function delayOf(thrown: unknown): number | undefined {
  const delayMs = read(thrown, 'delayMs')
  if (typeof delayMs !== 'number' || Number.isNaN(delayMs)) return undefined
  return Math.round(Math.min(longestDelayMs, Math.max(0, delayMs)))
}

export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || (!types.isProxy(value) && value instanceof Error)
}

function read(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined
  try {
    return Reflect.get(value, key)
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 2, customInspect: false, maxStringLength: 1024, breakLength: Infinity })
  } catch {
    return 'something that cannot be shown'
  }
}

/** NUL goes too: PostgreSQL's text cannot hold it. */
function bounded(text: string, maxBytes: number): string {
  const clean = text.slice(0, maxBytes).toWellFormed().replaceAll('\0', '\ufffd')
  if (clean.length * 3 <= maxBytes) return clean
  const bytes = Buffer.from(clean)
  if (bytes.length <= maxBytes) return clean
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, maxBytes), { stream: true })
}
