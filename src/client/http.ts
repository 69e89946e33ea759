import {
  ConflictError,
  ConnectionError,
  type FieldProblem,
  InvalidRequestError,
  MillraceError,
  NotFoundError,
  UnavailableError,
} from './errors.ts'
import type { Task } from './task.ts'

export type Server = {
  url: string
  apiKey?: string | undefined
  /** How often a call that may be repeated is tried again. */
  retries: number
}

type Query = Readonly<Record<string, string | number | undefined>>

export type Call = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  query?: Query
  /** JSON text. */
  body?: string | undefined
  headers?: Readonly<Record<string, string>>
  /** Doing it twice is as good as once, so it may be tried again when nobody knows whether it was done. */
  repeatable: boolean
  retries?: number
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

/** A successful answer; `text` is its body, untouched. */
export type Reply = { status: number; headers: Headers; text: string }

const requestTimeoutMs = 30_000
const firstPauseMs = 200
const longestPauseMs = 5_000
const longestRetryAfterMs = 30_000
/** Statuses after which it is worth to ask again. */
export const passing = [429, 502, 503, 504]

/**
 * One call, with repeats where that is safe: after 429, 502, 503 and 504 (honoring Retry-After) and when the
 * connection fails. Fails with MillraceError, ConnectionError among them, or with the reason of `signal`.
 */
export async function send(server: Server, call: Call): Promise<Reply> {
  const retries = call.retries ?? server.retries
  for (let repeats = 0; ; repeats++) {
    const answer = await tryOnce(server, call)
    if (answer instanceof ConnectionError) {
      if (repeats >= retries || !(call.repeatable || wasNeverSent(answer))) throw answer
      await pause(pauseMs(repeats), call.signal)
    } else if (answer.ok) {
      return { status: answer.status, headers: answer.headers, text: answer.text }
    } else {
      if (repeats >= retries || !call.repeatable || !passing.includes(answer.status)) throw refusal(answer)
      await pause(retryAfterMs(answer.headers) ?? pauseMs(repeats), call.signal)
    }
  }
}

/** Opens an answer that goes on; undefined where there is nothing to say. One try; fails as `send` does. */
export async function open(server: Server, call: Call): Promise<ReadableStream<Uint8Array> | undefined> {
  const headers = { ...headersOf(server, call), accept: 'text/event-stream' }
  try {
    const response = await fetch(address(server, call), {
      headers,
      ...(call.signal ? { signal: call.signal } : {}),
    })
    const { ok, status, headers: answered, body } = response
    if (!ok) throw refusal({ ok, status, headers: answered, text: await response.text() })
    return status === 204 || !body ? undefined : body
  } catch (error) {
    call.signal?.throwIfAborted()
    if (error instanceof MillraceError) throw error
    throw new ConnectionError(`no answer from ${server.url}: ${reasonOf(error)}`, error)
  }
}

type Answer = Reply & { ok: boolean }

async function tryOnce(server: Server, call: Call): Promise<Answer | ConnectionError> {
  const timeout = AbortSignal.timeout(call.timeoutMs ?? requestTimeoutMs)
  try {
    const response = await fetch(address(server, call), {
      method: call.method ?? 'GET',
      headers: headersOf(server, call),
      ...(call.body === undefined ? {} : { body: call.body }),
      signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
    })
    return {
      ok: response.ok,
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    }
  } catch (error) {
    call.signal?.throwIfAborted()
    return new ConnectionError(`no answer from ${server.url}: ${reasonOf(error)}`, error)
  }
}

function address(server: Server, { path, query = {} }: Call): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value))
  }
  return `${server.url}${path}${parameters.size > 0 ? `?${parameters}` : ''}`
}

function headersOf(server: Server, call: Call): Record<string, string> {
  return {
    accept: 'application/json',
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(server.apiKey ? { authorization: `Bearer ${server.apiKey}` } : {}),
    ...call.headers,
  }
}

/** `fetch` hides what happened behind "fetch failed"; its cause tells. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause
  return cause instanceof Error ? cause.message : error.message
}

function wasNeverSent({ cause }: ConnectionError): boolean {
  const code =
    cause instanceof Error && cause.cause instanceof Error && 'code' in cause.cause ? cause.cause.code : ''
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN'
}

function pauseMs(repeats: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** repeats) * (0.8 + 0.4 * Math.random())
}

/** The header is in seconds or a date. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after')
  if (text === null) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.min(longestRetryAfterMs, Math.max(0, ms))
}

/** Resolves after `ms`; fails with the signal's reason as soon as it aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = setTimeout(finish, ms)
    signal?.addEventListener('abort', finish)
    function finish() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      if (signal?.aborted) reject(signal.reason)
      else resolve()
    }
  })
}

type Problem = { title?: string; detail?: string; code?: string; errors?: FieldProblem[]; task?: Task }

const errorOf: Record<number, typeof MillraceError> = {
  400: InvalidRequestError,
  404: NotFoundError,
  409: ConflictError,
  413: InvalidRequestError,
  422: InvalidRequestError,
  503: UnavailableError,
}

/** The error for an answer that is none. */
export function refusal({ status, text }: Answer): MillraceError {
  const { code, title, detail, errors, task } = problemIn(text)
  return new (errorOf[status] ?? MillraceError)(
    code ?? `http-${status}`,
    detail ?? title ?? `the server answered ${status}`,
    {
      status,
      errors: errors ?? [],
      task,
    },
  )
}

/** A proxy in between may answer with something else than a problem in JSON. */
function problemIn(text: string): Problem {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}
