import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { runMillrace } from '../cli/run-millrace.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { deploy, submitMany } from './deployment.ts'

it('runs the tasks of a killed worker again within seconds, and completes each once', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker, record, untilCounts } = await deploy(t, { DATABASE_URL })
  const api = await startApi()
  const doomed = await startWorker()
  const ids = await submitMany(api.url, 300, { type: 'long-at-first', payload: null })
  await until(() => record().filter((line) => line.pid === doomed.pid).length >= 300, { what: 'all at work' })
  await startWorker()

  doomed.kill('SIGKILL')
  await doomed.exited
  const killedAtMs = Date.now()
  await untilCounts({ completed: 300 })

  const again = record().filter((line) => line.what === 'start' && line.atMs > killedAtMs)
  assert.deepEqual(again.map((line) => line.id).sort(), ids.toSorted())
  assert.ok(Math.max(...again.map((line) => line.atMs)) - killedAtMs < 10_000)
  assert.equal(record().filter((line) => line.what === 'end').length, 300)
  await assertCountsExact(DATABASE_URL)
})

it('fails the task that kills its process, and none of those that ran beside it', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker, untilCounts } = await deploy(t, { DATABASE_URL })
  const api = await startApi()
  await submitMany(api.url, 100, { type: 'recorded', payload: 500 })
  await submitMany(api.url, 1, { type: 'exit', payload: null })
  // As a supervisor would, start another worker when one has died.
  let done = false
  const supervised = (async () => {
    while (!done) {
      const worker = await startWorker({ CONCURRENCY: '200' })
      await Promise.race([worker.exited, until(() => done, { deadlineMs: 120_000, what: 'the end' })])
    }
  })()

  await untilCounts({ completed: 100, failed: 1 }, 100_000)
  done = true
  await supervised

  const [failed] = await query<{ error: { name: string; message: string } }>(
    DATABASE_URL,
    `select error from millrace.tasks where type = 'exit'`,
  )
  assert.equal(failed?.error.name, 'WorkerLostError')
  assert.match(failed?.error.message, /exited with code 3/)
  await assertCountsExact(DATABASE_URL)
})

it('keeps what a killed api process has answered', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker, untilCounts } = await deploy(t, { DATABASE_URL })
  const doomed = await startApi()
  let answered = 0
  const client = (async () => {
    for (;;) {
      const reply = await fetch(`${doomed.url}/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"type":"recorded","payload":0}',
      }).catch(() => undefined)
      if (!reply) return
      assert.equal(reply.status, 201)
      answered++
    }
  })()
  await until(() => answered > 50, { what: 'some submissions' })
  doomed.kill('SIGKILL')
  await client

  await startApi()
  await startWorker()

  await until(
    async () => {
      const [row] = await query<{ open: number }>(
        DATABASE_URL,
        `select count(*) filter (where status <> 'completed')::int as open from millrace.tasks`,
      )
      return row?.open === 0
    },
    { what: 'everything completed' },
  )
  const [row] = await query<{ n: number }>(DATABASE_URL, 'select count(*)::int as n from millrace.tasks')
  assert.ok(row && row.n >= answered && row.n <= answered + 1)
  await untilCounts({ completed: row.n })
})

it('lets a worker end in peace: what runs is finished, exit code 0', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { startApi, startWorker, record, counts } = await deploy(t, { DATABASE_URL })
  const api = await startApi()
  const worker = await startWorker()
  await submitMany(api.url, 50, { type: 'recorded', payload: 700 })
  await until(() => record().length >= 50, { what: 'all at work' })

  worker.kill('SIGTERM')

  assert.equal(await worker.exited, 0)
  assert.deepEqual(await counts(), { completed: 50 })
  assert.deepEqual(await query(DATABASE_URL, 'select id from millrace.workers'), [])
})

it('ends a worker that is told to stop while it starts, and leaves nothing of it', async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const TASKS = join(import.meta.dirname, '../fixtures/told-to-stop.ts')

  const { code, stderr } = await runMillrace(t, ['worker'], { env: { DATABASE_URL, TASKS } })

  assert.equal(code, 0, stderr)
  assert.deepEqual(await query(DATABASE_URL, 'select id from millrace.workers'), [])
})
