import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { buildApi } from '../../src/api/index.ts'
import { useCasesOf } from '../../src/main/api.ts'
import { openNode } from '../../src/main/node.ts'
import { startWorkerServices } from '../../src/main/worker.ts'
import { readConfig } from '../../src/runtime/config.ts'
import { createLog } from '../../src/runtime/log.ts'
import { type Service, stopAll } from '../../src/runtime/service.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

export type Transport = { name: string; skip: string | false; amqpUrl(): Promise<string | undefined> }

// biome-ignore lint/suspicious/noExplicitAny: what an HTTP reply holds is what the tests are about
export type Reply = { status: number; headers: Record<string, unknown>; body: any; text: string }
type Environment = Record<string, string>

/** An api and, when asked, workers, in this process, on a database and with a broker of the test's own. */
export async function startSystem(t: TestContext, transport: Transport, env: Environment = {}) {
  // Hooks run in the order in which they were made; a database that went first would keep a worker from stopping.
  const ends: (() => unknown)[] = []
  t.after(async () => {
    for (const end of ends.toReversed()) await end()
  })
  const databaseUrl = await testDatabase({ after: (end) => ends.push(end) })
  const amqpUrl = await transport.amqpUrl()
  const settings = {
    ...(amqpUrl ? { AMQP_URL: amqpUrl } : {}),
    TASKS: `${import.meta.dirname}/../fixtures/tasks.ts`,
    ...env,
  }
  const log = createLog({ level: 'silent', format: 'json', name: 'test' })
  const node = await openNode(readConfig(settings), databaseUrl, log)
  const app = await buildApi({ useCases: useCasesOf(node), apiKeys: [], log, version: '0.0.0' })
  ends.push(async () => {
    await app.close()
    await stopAll(node.services, () => {})
  })
  return {
    app,
    databaseUrl,
    send,
    post,
    patch,
    get,
    running,
    submit,
    finished,
    startWorker,
    unsent,
    untilIdle,
  }

  async function post(url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return send('POST', url, { body, headers })
  }

  async function send(
    method: 'POST' | 'PUT' | 'DELETE',
    url: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Reply> {
    const payload = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body)
    const type: Record<string, string> = payload === undefined ? {} : { 'content-type': 'application/json' }
    const reply = await app.inject({
      method,
      url,
      headers: { ...type, ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    return toReply(reply)
  }

  async function patch(url: string, body: unknown): Promise<Reply> {
    const headers = { 'content-type': 'application/json' }
    return toReply(await app.inject({ method: 'PATCH', url, headers, payload: JSON.stringify(body) }))
  }

  /** The keys of what runs now. */
  async function running(): Promise<(string | null)[]> {
    const rows = await query<{ key: string | null }>(
      databaseUrl,
      `select key from millrace.tasks where status = 'processing'`,
    )
    return rows.map(({ key }) => key)
  }

  async function get(url: string, headers: Record<string, string> = {}): Promise<Reply> {
    return toReply(await app.inject({ method: 'GET', url, headers }))
  }

  /** Submits a task and answers its id. */
  async function submit(task: object): Promise<string> {
    const reply = await post('/tasks', { payload: null, ...task })
    assert.equal(reply.status, 201, reply.text)
    return reply.body.id
  }

  /** The task when it is final. */
  async function finished(id: string, waitSeconds = 20) {
    const { body } = await get(`/tasks/${id}?wait=${waitSeconds}`)
    assert.ok(['completed', 'failed', 'canceled'].includes(body.status), `still ${body.status}`)
    return body
  }

  async function startWorker(more: Environment = {}) {
    const config = readConfig({ ...settings, ...more })
    const services: Service[] = []
    await startWorkerServices(config, databaseUrl, { log, services })
    let stopped: Promise<void> | undefined
    const stop = () => (stopped ??= stopAll(services, () => {}))
    ends.push(stop)
    return { stop }
  }

  /** How many packets the broker does not have yet; none where there is no broker. */
  async function unsent(): Promise<number> {
    if (amqpUrl === undefined) return 0
    const rows = await query(
      databaseUrl,
      'select from millrace.packets where worker_id is null and sent_at is null',
    )
    return rows.length
  }

  /** Waits until nothing waits or runs, and the ledger has let go of everything. */
  async function untilIdle(deadlineMs = 30_000) {
    await until(
      async () => {
        const { counts } = (await get('/stats')).body
        const [row] = await query<{ n: number }>(
          databaseUrl,
          'select count(*)::int as n from millrace.packets',
        )
        return counts.scheduled + counts.pending + counts.processing === 0 && row?.n === 0
      },
      { deadlineMs, what: 'an idle system' },
    )
  }
}

function toReply(reply: { statusCode: number; headers: object; body: string }): Reply {
  const isJson = /[/+]json/.test(String((reply.headers as Record<string, unknown>)['content-type']))
  return {
    status: reply.statusCode,
    headers: { ...reply.headers },
    body: isJson ? JSON.parse(reply.body) : undefined,
    text: reply.body,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as above
type StreamEvent = { id: string; name: string; data: any }

/** The events of a stream that has ended. */
export function eventsIn(text: string): StreamEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
    return field('data') ? [{ id: field('id'), name: field('event'), data: JSON.parse(field('data')) }] : []
  })
}

/** What the counters say must be what is there. */
export async function assertCountsExact(databaseUrl: string): Promise<void> {
  const counted = await query(
    databaseUrl,
    `select queue, type, status::text, count(*)::int as n from millrace.tasks group by 1, 2, 3 order by 1, 2, 3`,
  )
  const kept = await query(
    databaseUrl,
    `select queue, type, status::text, sum(n)::int as n from millrace.counters
      group by 1, 2, 3 having sum(n) <> 0 order by 1, 2, 3`,
  )
  assert.deepEqual(kept, counted)
  await assertBatchCountsExact(databaseUrl)
}

async function assertBatchCountsExact(databaseUrl: string): Promise<void> {
  const counted = await query(
    databaseUrl,
    `select batch_id, status::text, count(*)::int as n from millrace.tasks
      where batch_id is not null group by 1, 2 order by 1, 2`,
  )
  const kept = await query(
    databaseUrl,
    `select batch_id, status::text, sum(n)::int as n from millrace.batch_counters
      group by 1, 2 having sum(n) <> 0 order by 1, 2`,
  )
  assert.deepEqual(kept, counted)
}
