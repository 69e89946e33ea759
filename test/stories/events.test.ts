import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildApi } from '../../src/api/index.ts'
import { createClient, type FeedEvent } from '../../src/client/index.ts'
import { useCasesOf } from '../../src/main/api.ts'
import { openNode } from '../../src/main/node.ts'
import { startWorkerServices } from '../../src/main/worker.ts'
import { readConfig } from '../../src/runtime/config.ts'
import { createLog } from '../../src/runtime/log.ts'
import { type Service, stopAll } from '../../src/runtime/service.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const log = createLog({ level: 'silent', format: 'json', name: 'test' })
const config = readConfig({ TASKS: `${import.meta.dirname}/../fixtures/tasks.ts` })

/** An api that listens; `stop` stops it as a signal would. */
async function startApi(t: TestContext, databaseUrl: string, port = 0) {
  const node = await openNode(config, databaseUrl, log)
  const app = await buildApi({ useCases: useCasesOf(node), apiKeys: [], log, version: '0.0.0' })
  const url = await app.listen({ port, host: '127.0.0.1' })
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= app.close().then(() => stopAll(node.services, () => {})))
  t.after(stop)
  return { url, stop, port: Number(new URL(url).port) }
}

async function startWorker(t: TestContext, databaseUrl: string) {
  const services: Service[] = []
  await startWorkerServices(config, databaseUrl, { log, services })
  t.after(() => stopAll(services, () => {}))
}

test('a stream goes on at the next api process where it stopped, and nothing is missed', async (t) => {
  const databaseUrl = await testDatabase(t)
  const first = await startApi(t, databaseUrl)
  const other = await startApi(t, databaseUrl)
  await startWorker(t, databaseUrl)
  const millrace = createClient({ url: first.url })
  const stop = new AbortController()
  t.after(() => stop.abort())
  const events: FeedEvent[] = []
  const stream = (async () => {
    for await (const event of millrace.events({ type: 'echo' }, { signal: stop.signal })) events.push(event)
  })()
  stream.catch(() => {})
  const listeners = () => query(databaseUrl, 'select from millrace.event_listeners')
  await until(async () => (await listeners()).length === 1, { what: 'a listener' })

  const elsewhere = createClient({ url: other.url })
  await until(
    async () => {
      await elsewhere.submit('echo', 'is anybody listening?')
      return events.length > 0
    },
    { what: 'the first event' },
  )
  const ids = async (count: number) => {
    const { ids } = await elsewhere.submitBatch(
      Array.from({ length: count }, (_, i) => ({ type: i % 2 ? 'noop' : 'echo', payload: i })),
    )
    return ids.filter((_, i) => i % 2 === 0)
  }
  const before = await ids(200)
  await first.stop()
  const during = await ids(200)
  await startApi(t, databaseUrl, first.port)
  const after = await ids(200)
  const expected = [...before, ...during, ...after].flatMap((id) =>
    ['pending', 'processing', 'completed'].map((status) => `${id} ${status}`),
  )

  await until(
    () => {
      const seen = new Set(
        events.map((event) => ('id' in event ? `${event.id} ${event.status}` : event.name)),
      )
      return expected.every((event) => seen.has(event)) && !seen.has('missed')
    },
    { what: 'all events', deadlineMs: 20_000 },
  )
})

test('a task is followed across a restart of the api, up to its end', async (t) => {
  const databaseUrl = await testDatabase(t)
  const first = await startApi(t, databaseUrl)
  const task = await createClient({ url: first.url }).submit('steps', { steps: 2, ms: 400 })
  const names: string[] = []
  const stream = (async () => {
    for await (const { name } of task.events()) names.push(name)
  })()
  await until(() => names.includes('pending'), { what: 'the first event' })
  await first.stop()
  await startWorker(t, databaseUrl)
  await startApi(t, databaseUrl, first.port)

  await stream

  assert.equal(names[0], 'pending')
  assert.equal(names.filter((name) => name === 'pending').length, 1)
  assert.equal(names.at(-1), 'completed')
})
