import assert from 'node:assert/strict'
import { it } from 'node:test'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import { apiWith, someStats, someSystem } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

it('shows statistics and workers as they are', async (t) => {
  const at = '2030-01-31T09:00:00.000Z'
  const about = {
    queues: ['default'],
    types: ['default'],
    concurrency: 10,
    running: 1,
    startedAt: at,
    lastSeenAt: at,
  }
  const worker = { id: 'w', host: 'h', pid: 7, version: '1', ...about }
  const { app } = await apiWith(t, { listWorkers: async () => [worker] })
  assert.deepEqual((await app.inject('/stats')).json(), someStats)
  assert.deepEqual((await app.inject('/workers')).json(), [worker])
})

it('shows how the installation is', async (t) => {
  const { app } = await apiWith(t)
  const { at, ...state } = (await app.inject('/system')).json()
  assert.ok(Date.parse(at) > 0)
  assert.deepEqual(state, { version: '1.2.3', ...someSystem })
  assert.deepEqual(faultsOf(await app.inject('/system?x=1')), ['x'])
})

it('is healthy without asking anybody, and ready when every check is', async (t) => {
  const { app } = await apiWith(t)
  const health = await app.inject('/healthz')
  assert.deepEqual(health.json(), { status: 'ok', version: '1.2.3' })
  const ready = await app.inject('/readyz')
  assert.deepEqual(ready.json(), { status: 'ok', checks: { database: { ok: true } } })
})

it('names the failing check when it is not ready', async (t) => {
  const checks = [
    { name: 'database', ok: true },
    { name: 'partitions', ok: false, detail: 'none is left for tomorrow' },
  ]
  const { app } = await apiWith(t, { checkReadiness: async () => ({ ok: false, checks }) })
  const body = assertProblem(await app.inject('/readyz'), 'not-ready')
  assert.equal(body.detail, 'partitions: none is left for tomorrow')
  assert.deepEqual(body.checks, {
    database: { ok: true },
    partitions: { ok: false, detail: 'none is left for tomorrow' },
  })
})

it('answers 503 while the database is away, and stays healthy', async (t) => {
  const away = async () => {
    throw new StoreUnavailableError(new Error('gone'))
  }
  const { app } = await apiWith(t, { readStats: away, listWorkers: away, checkReadiness: away })
  for (const url of ['/stats', '/workers', '/readyz'])
    assertProblem(await app.inject(url), 'store-unavailable')
  assert.equal((await app.inject('/healthz')).statusCode, 200)
})

it('refuses parameters that mean nothing', async (t) => {
  const { app } = await apiWith(t)
  assert.deepEqual(faultsOf(await app.inject('/stats?queue=x')), ['queue'])
  assert.deepEqual(faultsOf(await app.inject('/workers?a=1&b=2')), ['a', 'b'])
})
