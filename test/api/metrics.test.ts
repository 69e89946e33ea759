import assert from 'node:assert/strict'
import { it } from 'node:test'
import parse from 'parse-prometheus-text-format'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import { countIn } from '../../src/domain/histogram.ts'
import type { Happened } from '../../src/domain/metric.ts'
import type { Stats } from '../../src/domain/stats.ts'
import { processMetrics } from '../../src/main/process-metrics.ts'
import { measuring } from '../../src/usecases/metrics.ts'
import { apiWith, someStats } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const ledger = {
  waitingPackets: 3,
  unsentPackets: 2,
  heldPackets: 1,
  oldestWaitingAgeMs: 5,
  oldestUnsentAgeMs: 1_500,
  mostCounted: 20_000,
}
const waiting: number[] = []
for (const ms of [0.5, 3, 3, 900, 40_000]) countIn(waiting, ms)
const happened: Happened = {
  queue: 'default',
  type: 'a"b\\c\n{}',
  ...{ submitted: 0, completed: 0, failed: 0, canceled: 0 },
  waiting: [],
  running: [],
}
const broker = { connected: true, blocked: null, since: '2030-01-31T09:00:00.000Z' }

function metricsOf({ stats = someStats, isAway = false }: { stats?: Stats; isAway?: boolean } = {}) {
  let asked = 0
  const answer =
    <T>(value: T) =>
    async () => {
      if (isAway) throw new StoreUnavailableError(new Error('gone'))
      return value
    }
  return measuring({
    reader: { stats: answer(stats) },
    system: { ledger: answer(ledger) },
    happened: {
      since: async () => {
        const minuteMs = Date.now()
        const row = { ...happened, minuteMs, submitted: 7, completed: 4, failed: 1, waiting, running: [1] }
        return { nowMs: minuteMs, minutes: asked++ === 0 ? [] : [row] }
      },
    },
    broker: () => broker,
    own: processMetrics({}),
  })
}

it('is what Prometheus reads, names with their units, whatever clients call their tasks', async (t) => {
  const { app } = await apiWith(t, metricsOf())
  await app.inject('/metrics')
  await app.inject('/stats')
  const response = await app.inject('/metrics')
  assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const families = parse(response.body)
  const named = new Map(families.map((family) => [family.name, family]))
  assert.equal(named.size, families.length, 'each is described once')
  for (const { name, help, type } of families) {
    assert.match(name, /^(millrace|process)_[a-z_]+$/)
    assert.match(help, /^[A-Z].*\.$/, name)
    assert.equal(name.endsWith('_total'), type === 'COUNTER', name)
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb|minutes|percent)(_|$)/)
  }
  const [submitted] = named.get('millrace_tasks_submitted_total')!.metrics
  assert.deepEqual(submitted, { value: '7', labels: { queue: 'default', type: 'a"b\\c\n{}' } })
  const depth = named.get('millrace_queue_tasks')!.metrics.find(({ labels }) => labels?.status === 'pending')
  assert.equal(depth?.value, '2')
  assert.equal(named.get('millrace_relay_lag_seconds')?.metrics[0]?.value, '1.5')
  for (const name of ['millrace_broker_up', 'millrace_database_up', 'millrace_build_info'])
    assert.equal(named.get(name)?.metrics[0]?.value, '1', name)
})

it('has histograms that are cumulative and complete', async (t) => {
  const { app } = await apiWith(t, metricsOf())
  await app.inject('/metrics')
  const series = histogramsIn((await app.inject('/metrics')).body)
  assert.equal(series.size, 3)
  for (const [name, { counts, count }] of series) {
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      name,
    )
    assert.equal(counts.at(-1), count, name)
  }
  const labels = 'queue="default",type="a\\"b\\\\c\\n{}"'
  const waits = series.get(`millrace_task_waiting_seconds{${labels}}`)!
  assert.deepEqual(waits.counts, [1, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 5])
  assert.ok(Math.abs(waits.sum - 40.9065) / 40.9065 < 0.09, `${waits.sum}`)
})

type Series = { counts: number[]; sum: number; count: number }

/** The histograms in a text, by their names and labels without the bounds. The parser mixes those of different labels. */
function histogramsIn(text: string): Map<string, Series> {
  const series = new Map<string, Series>()
  for (const line of text.split('\n')) {
    const [, name, kind, labels = '', value] = /^(\w+)_(bucket|sum|count)\{(.*)\} (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    const key = `${name}{${labels.replace(/,?le="[^"]*"/, '')}}`
    const one = series.get(key) ?? { counts: [], sum: 0, count: 0 }
    series.set(key, one)
    if (kind === 'bucket') one.counts.push(Number(value))
    if (kind === 'sum') one.sum = Number(value)
    if (kind === 'count') one.count = Number(value)
  }
  return series
}

it('tells of the process while the database is away', async (t) => {
  const { app } = await apiWith(t, metricsOf({ isAway: true }))
  const families = parse((await app.inject('/metrics')).body)
  const names = families.map(({ name }) => name)
  assert.equal(families.find(({ name }) => name === 'millrace_database_up')?.metrics[0]?.value, '0')
  assert.ok(names.includes('process_resident_memory_bytes') && names.includes('millrace_broker_up'))
  assert.ok(!names.includes('millrace_queue_tasks'))
})

it('has no more lines because clients invent names', async (t) => {
  const one = someStats.queues[0]!
  const queues = Array.from({ length: 5_000 }, (_, n) => ({ ...one, queue: `q${n}` }))
  const { app } = await apiWith(t, metricsOf({ stats: { ...someStats, queues } }))
  for (let n = 0; n < 50; n++) {
    await app.inject(`/nowhere/${n}`)
    await app.inject(`/tasks/${n}`)
  }
  const text = (await app.inject('/metrics')).body
  const families = parse(text)
  const depths = families.find(({ name }) => name === 'millrace_queue_tasks')!.metrics
  const pending = depths.filter(({ labels }) => labels?.status === 'pending')
  assert.equal(pending.length, 101)
  assert.equal(
    pending.reduce((sum, { value }) => sum + Number(value), 0),
    10_000,
  )
  const routes = [...histogramsIn(text)].map(([key, { count }]) => `${key.replace(/^\w+/, '')} ${count}`)
  assert.deepEqual(routes, [
    '{method="(any)",route="(none)",status="4xx"} 50',
    '{method="GET",route="/tasks/:id",status="4xx"} 50',
  ])
})

it('wants a key where keys are wanted, and takes no parameters', async (t) => {
  const { app } = await apiWith(t, {}, ['root'])
  assertProblem(await app.inject('/metrics'), 'unauthorized')
  const headers = { authorization: 'Bearer root' }
  assert.equal((await app.inject({ url: '/metrics', headers })).statusCode, 200)
  assert.deepEqual(faultsOf(await app.inject({ url: '/metrics?name=x', headers })), ['name'])
})
