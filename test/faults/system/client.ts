import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../trial/fault.ts'
import { type ClientLine, writeLine } from './ledger.ts'
import { nowMs } from './machine-clock.ts'

export type Submission = {
  type: string
  payload?: unknown
  priority?: 'low' | 'normal' | 'high'
  delayMs?: number
  maxAttempts?: number
  timeoutMs?: number
  callbackUrl?: string
}

export type AtEnd = { then?: Submission; callbackUrl?: string }

/** A client of several apis that writes down each answer, and lives through all of them. */
export type Client = {
  /** Answers the ids; none when nobody knows whether the tasks were accepted. All are of one type. */
  submit(tasks: readonly Submission[], atEnd?: AtEnd): Promise<readonly string[]>
  /** Asks with one key again and again until it is accepted, and answers the id. */
  submitKeyed(task: Submission, key: string): Promise<string>
  /** Each of these answers the status of the task if the wish was fulfilled. */
  cancel(id: string): Promise<string | undefined>
  retry(id: string): Promise<string | undefined>
  read(id: string): Promise<string | undefined>
  /** Requests that wait for an answer. */
  open(): number
}

/** Far above what any answer takes; a process that is stopped gives none. */
const answerWithinMs = 15_000
const acceptedWithinMs = 180_000

type Request = {
  request: string
  method: 'GET' | 'POST'
  path: string
  body?: unknown
  id?: string
  key?: string
}
type Reply = { status: number; headers: Headers; body: unknown; sentAt: number; at: number }
type TaskBody = { id: string; status: string; attempt: number }

export function openClient(
  urls: readonly string[],
  { ledger, random }: { ledger: string; random: Random },
): Client {
  const open = new Map(urls.map((url) => [url, 0]))
  return {
    submit,
    submitKeyed,
    cancel: (id) => look('canceled', { request: 'cancel', method: 'POST', path: `/tasks/${id}/cancel`, id }),
    retry: (id) => look('retried', { request: 'retry', method: 'POST', path: `/tasks/${id}/retry`, id }),
    read: (id) => look('read', { request: 'read', method: 'GET', path: `/tasks/${id}`, id }),
    open: () => [...open.values()].reduce((sum, n) => sum + n, 0),
  }

  async function submit(tasks: readonly Submission[], atEnd: AtEnd = {}): Promise<readonly string[]> {
    const [first] = tasks
    if (first === undefined) return []
    if (tasks.length === 1)
      return submitOne({ request: 'submit', method: 'POST', path: '/tasks', body: first }, first)
    const reply = await ask({
      request: 'batch',
      method: 'POST',
      path: '/tasks/batch',
      body: { tasks, ...atEnd },
    })
    if (reply === undefined) return []
    const { batchId, ids } = reply.body as { batchId: string; ids: string[] }
    const called = ids.filter((_, i) => tasks[i]?.callbackUrl)
    if (atEnd.callbackUrl) called.push(batchId)
    return accepted(reply, { ids, type: first.type, called })
  }

  async function submitOne(request: Request, { type, callbackUrl }: Submission): Promise<readonly string[]> {
    const reply = await ask(request)
    if (reply === undefined) return []
    const { id } = reply.body as TaskBody
    const called = callbackUrl ? [id] : []
    return accepted(reply, { ids: [id], type, called, ...(request.key ? { key: request.key } : {}) })
  }

  async function submitKeyed(task: Submission, key: string): Promise<string> {
    const request = { request: 'submit', method: 'POST', path: '/tasks', body: task, key } as const
    for (
      const untilMs = nowMs() + acceptedWithinMs;
      nowMs() < untilMs;
      await sleep(random.between(100, 500))
    ) {
      const [id] = await submitOne(request, task)
      if (id !== undefined) return id
    }
    throw new Error(`the submission ${key} was not accepted within ${acceptedWithinMs} ms`)
  }

  function accepted(
    { sentAt, at, status }: Reply,
    { ids, type, called, key }: { ids: string[]; type: string; called: string[]; key?: string },
  ): string[] {
    const more = { ...(key ? { key } : {}), ...(called.length > 0 ? { called } : {}) }
    write({ what: 'submitted', at, sentAt, ids, type, ...more, status })
    return ids
  }

  async function look(what: 'canceled' | 'retried' | 'read', request: Request & { id: string }) {
    const reply = await ask(request, [409])
    if (reply === undefined) return undefined
    const task = taskIn(reply.body)
    const { sentAt, at, status } = reply
    const seen = task ? { taskStatus: task.status, attempt: task.attempt } : {}
    write({ what, at, sentAt, id: request.id, status, ...seen })
    return status === 200 ? task?.status : undefined
  }

  /** Answers what was wanted, or nothing and has written down why. */
  async function ask(request: Request, expected: readonly number[] = []): Promise<Reply | undefined> {
    const url = freest()
    open.set(url, (open.get(url) ?? 0) + 1)
    const sentAt = nowMs()
    try {
      const reply = { ...(await send(url, request)), sentAt, at: nowMs() }
      if (reply.status < 300 || expected.includes(reply.status)) return reply
      refused(request, reply)
    } catch (error) {
      const reason = error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error)
      write({ what: 'refused', at: nowMs(), sentAt, status: 0, reason, ...about(request) })
    } finally {
      open.set(url, (open.get(url) ?? 1) - 1)
    }
  }

  function refused(request: Request, { headers, body, status, at, sentAt }: Reply): void {
    const { code, detail } = body as { code?: string; detail?: string }
    const retryAfter = headers.get('retry-after')
    write({
      what: 'refused',
      at,
      sentAt,
      status,
      reason: detail ?? JSON.stringify(body),
      ...(retryAfter === null ? {} : { retryAfter }),
      ...(code === undefined ? {} : { code }),
      ...about(request),
    })
  }

  /** One that does not answer must not have all the requests. */
  function freest(): string {
    const [one, other] = [random.pick(urls), random.pick(urls)]
    return (open.get(one) ?? 0) <= (open.get(other) ?? 0) ? one : other
  }

  function write(line: ClientLine): void {
    writeLine(ledger, line)
  }
}

function about({ request, id, key }: Request) {
  return { request, ...(id ? { id } : {}), ...(key ? { key } : {}) }
}

async function send(url: string, { method, path, body, key }: Request) {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    signal: AbortSignal.timeout(answerWithinMs),
  })
  return { status: response.status, headers: response.headers, body: json(await response.text()) }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { detail: `no JSON: ${text.slice(0, 200)}` }
  }
}

/** A refusal carries the task beside what is wrong. */
function taskIn(body: unknown): TaskBody | undefined {
  const { task, ...rest } = body as { task?: TaskBody } & Partial<TaskBody>
  if (task !== undefined) return task
  return typeof rest.id === 'string' ? (rest as TaskBody) : undefined
}
