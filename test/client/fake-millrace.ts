import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memberTexts } from '../../src/client/json-text.ts'
import { fakeBulkActions } from './fake-bulk-actions.ts'
import { fakeSchedules } from './fake-schedules.ts'

export type FakeTask = { [member: string]: string }
export type Seen = {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
}
/** `drop` breaks the connection without an answer, `lose` after the work was done; an answer replaces the real one. */
export type Fault = 'drop' | 'lose' | { status: number; headers?: Record<string, string>; body?: string }
export type FakeMillrace = Awaited<ReturnType<typeof fakeMillrace>>

/**
 * The documented HTTP API in memory: tasks are texts of members, so numbers stay as they were sent. With
 * `finishes`, a task that somebody waits for is completed at once.
 */
export async function fakeMillrace({ finishes = false } = {}) {
  const tasks = new Map<string, FakeTask>()
  const keys = new Map<string, string>()
  const seen: Seen[] = []
  const faults: Fault[] = []
  const changes = new EventEmitter().setMaxListeners(0)
  let made = 0
  const schedules = fakeSchedules((task) => textOf(tasks.get(add(Object.fromEntries(memberTexts(task))))!))
  const bulkActions = fakeBulkActions(tasks)

  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, tasks, seen, faults, add, finish, close, requestsTo }

  function requestsTo(path: string) {
    return seen.filter((request) => request.path === path)
  }

  async function close() {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  /** A task as its members' JSON texts. Ids grow. */
  function add(members: FakeTask): string {
    const id = `0199f000-0000-7000-8000-${(++made).toString(16).padStart(12, '0')}`
    const at = JSON.stringify(new Date(1_760_000_000_000 + made).toISOString())
    tasks.set(id, {
      id: JSON.stringify(id),
      type: '"default"',
      queue: '"default"',
      status: '"pending"',
      priority: '"normal"',
      payload: 'null',
      result: 'null',
      error: 'null',
      attempt: '0',
      maxAttempts: '3',
      batchId: 'null',
      idempotencyKey: 'null',
      createdAt: at,
      runAt: at,
      startedAt: 'null',
      finishedAt: 'null',
      workerId: 'null',
      ...members,
    })
    return id
  }

  function finish(id: string, members: FakeTask) {
    const task = Object.assign(tasks.get(id)!, members)
    changes.emit('change')
    return task
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const { pathname, searchParams } = new URL(request.url!, 'http://fake')
    const body = (await request.toArray()).join('')
    const call = {
      method: request.method!,
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body,
    }
    seen.push(call)
    const fault = faults.shift()
    if (fault === 'drop') return request.socket.destroy()
    if (fault && fault !== 'lose') {
      return response
        .writeHead(fault.status, fault.headers)
        .end(fault.body ?? problem(fault.status, 'unavailable', 'no'))
    }
    const { status, text, type = 'application/json' } = await answer(call)
    if (fault === 'lose') return request.socket.destroy()
    response.writeHead(status, { 'content-type': status < 400 ? type : 'application/problem+json' }).end(text)
  }

  async function answer(call: Seen): Promise<{ status: number; text: string; type?: string }> {
    const { method, path } = call
    const scheduled = schedules(call)
    if (scheduled) return scheduled
    const [, , id, verb] = path.split('/')
    if (path === '/tasks' && method === 'POST') return submit(call)
    if (path === '/tasks') return list(call)
    if (path === '/tasks/batch') return submitBatch(call)
    if (path.startsWith('/batches/')) return batch(call)
    if (path === '/tasks/import') return importLines(call)
    if (path.startsWith('/bulk-actions')) return bulkActions(call)
    if (path === '/events') return feed(call)
    if (path === '/stats') return { status: 200, text: JSON.stringify(statsOf([...tasks.values()])) }
    if (path === '/whoami') return { status: 200, text: '{"key":null,"authRequired":true,"version":"0"}' }
    if (path === '/keys' && method === 'GET') return { status: 200, text: '{"data":[]}' }
    if (path.startsWith('/keys'))
      return { status: 200, text: '{"id":"0123456789abcdef","name":"mail","scopes":[]}' }
    if (path === '/errors')
      return { status: 200, text: JSON.stringify({ data: [errorGroup], page: { next: null } }) }
    if (path === '/queues') return { status: 200, text: JSON.stringify([queueInfo]) }
    if (path.startsWith('/queues/')) return { status: 200, text: JSON.stringify(queueInfo) }
    if (path === '/workers') return { status: 200, text: JSON.stringify([workerInfo]) }
    if (path === '/readyz' || path === '/healthz')
      return { status: 200, text: '{"status":"ok","version":"0.1.0"}' }
    if (!id || !/^[0-9a-f-]{36}$/.test(id)) return refuse(422, 'invalid-id', `"${id}" is no UUID`)
    const task = tasks.get(id)
    if (!task) return refuse(404, 'task-not-found', `there is no task ${id}`)
    if (verb === 'cancel')
      return move(task, ['"scheduled"', '"pending"', '"processing"', '"canceled"'], '"canceled"')
    if (verb === 'retry') return move(task, ['"failed"', '"canceled"'], '"pending"')
    if (verb === 'events') {
      await finalOrLate(finishes ? finish(id, { status: '"completed"', result: '5' }) : task, 5_000)
      const text = `id: 1\nevent: ${JSON.parse(task.status!)}\ndata: ${textOf(task)}\n\n`
      return { status: 200, text, type: 'text/event-stream' }
    }
    if (finishes && call.query.has('wait')) finish(id, { status: '"completed"', result: '5' })
    await finalOrLate(task, Number(call.query.get('wait') ?? 0) * 1000)
    return { status: 200, text: textOf({ ...task, attempts: '[]' }) }
  }

  function importLines({ body }: Seen) {
    const answers = body.split('\n').map((text, at) => {
      const refused = (code: string) => `{"line":${at + 1},"error":{"code":"${code}","detail":"${code}"}}\n`
      if (text.trim() === '') return refused('empty-body')
      if (!/^\{.*\}\r?$/.test(text)) return refused('malformed-json')
      return `{"line":${at + 1},"id":"${add(Object.fromEntries(memberTexts(text)))}"}\n`
    })
    const text = body.endsWith('\n') ? answers.slice(0, -1).join('') : answers.join('')
    return { status: 200, text, type: 'application/x-ndjson' }
  }

  /** Three moves, the last of which is told again after `Last-Event-ID`. */
  function feed({ headers }: Seen) {
    const move = (n: number, status: string) =>
      `event: ${status}\ndata: ${JSON.stringify({ id: `0199f000-0000-7000-8000-00000000000${n}`, type: 'n', queue: 'q', status, attempt: 1, at: '2026-01-01T00:00:00.000Z' })}\n\n`
    const group = `${move(1, 'processing')}${move(1, 'failed')}id: a\n\n${move(2, 'completed')}`
    const text = headers['last-event-id'] === 'a' ? move(2, 'completed') : group
    return { status: 200, text, type: 'text/event-stream' }
  }

  async function submit({ body, headers }: Seen) {
    const members = Object.fromEntries(memberTexts(body))
    if (members.payload === undefined) return refuse(422, 'invalid', 'payload is missing', '#/payload')
    const key = members.idempotencyKey ?? JSON.stringify(headers['idempotency-key'])
    const known = key === undefined ? undefined : keys.get(key)
    const id = known ?? add(members)
    if (key !== undefined) keys.set(key, id)
    const [, seconds = 0] = /^wait=(\d+)$/.exec(String(headers.prefer)) ?? []
    if (finishes && Number(seconds) > 0) finish(id, { status: '"completed"', result: '5' })
    await finalOrLate(tasks.get(id)!, Number(seconds) * 1000)
    return { status: known ? 200 : 201, text: textOf(tasks.get(id)!) }
  }

  function submitBatch({ body }: Seen) {
    const texts = itemsOf(memberTexts(body).get('tasks')!)
    const bad = texts.findIndex((text) => !memberTexts(text).has('payload'))
    if (bad >= 0) return refuse(422, 'invalid', 'payload is missing', `#/tasks/${bad}/payload`)
    const batchId = JSON.stringify(`0199f000-0000-7000-9000-${seen.length.toString(16).padStart(12, '0')}`)
    const ids = texts.map((text) => add({ ...Object.fromEntries(memberTexts(text)), batchId }))
    return { status: 201, text: `{"batchId":${batchId},"count":${ids.length},"ids":${JSON.stringify(ids)}}` }
  }

  function batch({ path, query }: Seen) {
    const [, , id, verb] = path.split('/')
    const own = [...tasks.entries()].filter(([, task]) => task.batchId === JSON.stringify(id))
    if (own.length === 0) return refuse(404, 'batch-not-found', `there is no batch ${id}`)
    if (finishes && query.has('wait'))
      for (const [id] of own) finish(id, { status: '"completed"', result: '5' })
    const { counts, total } = statsOf(own.map(([, task]) => task))
    const open = own.filter(([, { status }]) => /scheduled|pending|processing/.test(status!))
    if (verb === 'cancel') {
      for (const [, task] of open) task.status = '"canceled"'
      return { status: 200, text: `{"canceled":${open.length}}` }
    }
    if (verb === 'retry') {
      const failed = own.filter(([, { status }]) => status === '"failed"')
      for (const [, task] of failed) task.status = '"pending"'
      return { status: 200, text: `{"retried":${failed.length}}` }
    }
    const createdAt = '2026-01-01T00:00:00.000Z'
    const finishedAt = open.length === 0 ? '2026-01-01T00:00:01.000Z' : null
    const text = JSON.stringify({ id, total, counts, createdAt, finishedAt, importing: false, thenId: null })
    return { status: 200, text }
  }

  function list({ query }: Seen) {
    const status = query.get('status')?.split(',')
    const before = query.get('cursor') ?? '~'
    const limit = Number(query.get('limit') ?? 50)
    const found = [...tasks.entries()]
      .filter(([id, task]) => id < before && (!status || status.includes(JSON.parse(task.status!))))
      .sort(([a], [b]) => (a < b ? 1 : -1))
    const page = found.slice(0, limit)
    const next = found.length > limit ? JSON.stringify(page.at(-1)![0]) : 'null'
    const rows = page.map(([, { payload, result, ...rest }]) => textOf(rest))
    return { status: 200, text: `{"data":[${rows.join(',')}],"page":{"next":${next}}}` }
  }

  function move(task: FakeTask, from: string[], to: string) {
    if (!from.includes(task.status!)) {
      const text = JSON.parse(problem(409, 'task-not-cancelable', `the task is already ${task.status}`))
      return { status: 409, text: JSON.stringify({ ...text, task: JSON.parse(textOf(task)) }) }
    }
    task.status = to
    changes.emit('change')
    return { status: 200, text: textOf(task) }
  }

  async function finalOrLate(task: FakeTask, waitMs: number) {
    const late = AbortSignal.timeout(waitMs)
    while (!/completed|failed|canceled/.test(task.status!) && !late.aborted) {
      await once(changes, 'change', { signal: late }).catch(() => {})
    }
  }
}

const workerInfo = {
  id: '0199f000-0000-7000-a000-000000000001',
  host: 'here',
  pid: 7,
  version: '0.1.0',
  queues: ['default'],
  types: ['default'],
  concurrency: 1000,
  running: 2,
  startedAt: '2026-01-01T00:00:00.000Z',
  lastSeenAt: '2026-01-01T00:00:05.000Z',
}

const errorGroup = {
  fingerprint: '00112233445566aa',
  ...{ name: 'Error', message: 'no user 7', topFrame: null, types: ['greet'], queues: ['default'] },
  ...{ count: 1200, firstSeenAt: '2026-01-01T00:00:00.000Z', lastSeenAt: '2026-01-02T00:00:00.000Z' },
  sampleTaskId: '0199f000-0000-7000-8000-000000000001',
  trend: [],
}

const queueInfo = {
  name: 'default',
  paused: false,
  pausedAt: null,
  concurrency: 5,
  ratePerSecond: null,
  keyConcurrency: null,
  keyRatePerSecond: 0.5,
  counts: { scheduled: 0, pending: 3, processing: 2, completed: 0, failed: 0, canceled: 0 },
  oldestPendingAgeMs: 1_500,
  workers: 1,
  slots: 1000,
}

function statsOf(tasks: FakeTask[]) {
  const counts = { scheduled: 0, pending: 0, processing: 0, completed: 0, failed: 0, canceled: 0 }
  for (const task of tasks) counts[JSON.parse(task.status!) as keyof typeof counts]++
  return {
    total: tasks.length,
    counts,
    queues: [{ queue: 'default', counts, oldestPendingAgeMs: null, workers: 1, slots: 1000 }],
    types: [{ type: 'default', counts, served: true }],
    unserved: [],
    rates: {
      windowMs: 60_000,
      submittedPerSecond: 1,
      completedPerSecond: 2,
      failedPerSecond: 0,
      canceledPerSecond: 0,
    },
    oldestPendingAgeMs: null,
  }
}

function textOf(members: FakeTask): string {
  return `{${Object.entries(members).map(([name, text]) => `${JSON.stringify(name)}:${text}`)}}`
}

function itemsOf(arrayText: string): string[] {
  return JSON.parse(arrayText).map((item: unknown) => JSON.stringify(item))
}

function problem(status: number, code: string, detail: string, pointer?: string): string {
  const errors = pointer ? { errors: [{ pointer, detail }] } : {}
  return JSON.stringify({ type: 'about:blank', title: code, status, code, detail, ...errors })
}

function refuse(status: number, code: string, detail: string, pointer?: string) {
  return { status, text: problem(status, code, detail, pointer) }
}
