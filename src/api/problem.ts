import type { ErrorCode } from '../domain/errors.ts'

type RequestCode =
  | 'bad-request'
  | 'bad-url'
  | 'empty-body'
  | 'invalid-request'
  | 'invalid-utf8'
  | 'malformed-json'
  | 'unauthorized'
  | 'forbidden'
  | 'cross-origin'
  | 'unknown-host'
  | 'route-not-found'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'payload-too-large'
  | 'body-too-large'
  | 'uri-too-long'
  | 'unsupported-media-type'
  | 'expectation-failed'
  | 'headers-too-large'

type ServerCode = 'internal-error' | 'not-ready' | 'shutting-down' | 'store-unavailable' | 'too-many-imports'

export type ProblemCode = ErrorCode | RequestCode | ServerCode

/** What a code means to HTTP. A code without an entry does not compile. */
export const problems: Record<ProblemCode, { status: number; title: string }> = {
  'bad-cursor': { status: 400, title: 'The cursor is not one of ours' },
  'bad-request': { status: 400, title: 'The request could not be read' },
  'bad-url': { status: 400, title: 'The address is not well-formed' },
  'empty-body': { status: 400, title: 'The request has no body' },
  'invalid-utf8': { status: 400, title: 'The body is not UTF-8' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'The API key is not for this' },
  'cross-origin': { status: 403, title: 'Another site may not change anything here' },
  'unknown-host': { status: 403, title: 'This server is not known by that name' },
  'route-not-found': { status: 404, title: 'There is nothing at this address' },
  'task-not-found': { status: 404, title: 'There is no such task' },
  'batch-not-found': { status: 404, title: 'There is no such batch' },
  'worker-not-found': { status: 404, title: 'There is no such worker, or it was given up' },
  'schedule-not-found': { status: 404, title: 'There is no such schedule' },
  'key-not-found': { status: 404, title: 'There is no such key' },
  'bulk-action-not-found': { status: 404, title: 'There is no such bulk action' },
  'method-not-allowed': { status: 405, title: 'The address does not take this method' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive' },
  'task-not-cancelable': { status: 409, title: 'The task has ended and cannot be canceled' },
  'task-not-retryable': { status: 409, title: 'Only a failed or canceled task can be retried' },
  'bulk-action-over': { status: 409, title: 'The bulk action is over' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'payload-too-large': { status: 413, title: 'The payload is larger than 1 MiB' },
  'uri-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON in UTF-8' },
  'expectation-failed': { status: 417, title: 'The Expect header asks for something unknown' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key belongs to a different submission' },
  'invalid-request': { status: 422, title: 'The request is not valid' },
  'value-not-storable': { status: 422, title: 'A value cannot be stored' },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  'not-ready': { status: 503, title: 'Not ready' },
  'shutting-down': { status: 503, title: 'This server is shutting down' },
  'too-many-imports': { status: 503, title: 'Too many imports are running' },
  'store-unavailable': { status: 503, title: 'The database is not available' },
}

/** One thing that is wrong, and where: in the body, in the query or in a header. */
export type Fault = ({ pointer: string } | { parameter: string } | { header: string }) & { detail: string }

type Extras = {
  cause?: unknown
  errors?: readonly Fault[]
  headers?: Record<string, string>
  /** Further members of the reply, each a JSON text. */
  members?: Record<string, string>
}

/** An answer of 4xx or 5xx, thrown from wherever it is found. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly headers: Record<string, string>
  readonly errors: readonly Fault[]
  readonly members: Record<string, string>

  constructor(
    code: ProblemCode,
    detail: string,
    { errors = [], headers = {}, members = {}, cause }: Extras = {},
  ) {
    super(detail, { cause })
    this.name = 'Problem'
    this.code = code
    this.status = problems[code].status
    this.errors = errors
    this.headers = this.status === 503 ? { 'retry-after': '1', ...headers } : headers
    this.members = members
  }
}

/** More faults than a person would read. */
export const mostFaults = 50

/** A 422 that lists what is wrong, up to `mostFaults` of it. */
export function invalid(faults: readonly Fault[]): Problem {
  const errors = faults.slice(0, mostFaults)
  return new Problem('invalid-request', summary(errors), { errors })
}

function summary(errors: readonly Fault[]): string {
  const [first] = errors
  if (errors.length === 1 && first) return `${placeOf(first)} ${first.detail}`
  return `${errors.length}${errors.length === mostFaults ? ' or more' : ''} things are wrong; see errors`
}

function placeOf(fault: Fault): string {
  if ('pointer' in fault) return fault.pointer
  return 'parameter' in fault ? `parameter ${fault.parameter}` : `header ${fault.header}`
}

export const problemType = 'application/problem+json'

/** The body of the reply (RFC 9457). `type` is a name, not an address: there is nothing to look up. */
export function problemText(problem: Problem): string {
  const { code, status, message: detail, errors } = problem
  const base = { type: `urn:millrace:problem:${code}`, title: problems[code].title, status, detail, code }
  const text = JSON.stringify(errors.length > 0 ? { ...base, errors } : base)
  const more = Object.entries(problem.members).map(([name, json]) => `,${JSON.stringify(name)}:${json}`)
  return `${text.slice(0, -1)}${more.join('')}}`
}
