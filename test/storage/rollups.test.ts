import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rollupStore } from '../../src/storage/rollups.ts'
import {
  aTask,
  aWorker,
  completed,
  failed,
  type LedgerUnderTest,
  ledgerUnderTest,
} from '../support/ledger.ts'
import { query } from '../support/postgres.ts'

/** Lets what was written last be long enough ago for more to be written. */
async function later({ url }: LedgerUnderTest): Promise<void> {
  await query(url, `update millrace.rollup_clock set written_to = now() - interval '10 seconds'`)
}

async function lastHour(ledger: LedgerUnderTest, wish: { queue?: string; type?: string } = {}) {
  const to = new Date(Date.now() + 60_000).toISOString()
  const from = new Date(Date.now() - 3_600_000).toISOString()
  return rollupStore(ledger.looks).read({ from, to, ...wish })
}

async function sums(ledger: LedgerUnderTest, wish: { queue?: string; type?: string } = {}) {
  const { points } = await lastHour(ledger, wish)
  const of = (name: 'submitted' | 'completed' | 'failed' | 'canceled') =>
    points.reduce((all, point) => all + point[name], 0)
  return {
    submitted: of('submitted'),
    completed: of('completed'),
    failed: of('failed'),
    canceled: of('canceled'),
  }
}

const nothing = { submitted: 0, completed: 0, failed: 0, canceled: 0 }

test('what came and what ended is written every ten seconds, whoever counts, by queue and type', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const rollups = rollupStore(ledger.looks)
  await ledger.submit([aTask()])
  await rollups.count()
  assert.deepEqual(await sums(ledger), nothing, 'when the first came nobody knows')

  const tasks = [
    aTask({ queue: 'a', type: 'x' }),
    aTask({ queue: 'a', type: 'y' }),
    aTask({ queue: 'b', type: 'x' }),
  ]
  await ledger.submit(tasks)
  await rollups.count()
  assert.deepEqual(await sums(ledger), nothing, 'it was counted a moment ago')

  await ledger.store.cancel([tasks[1]!.id])
  await later(ledger)
  await Promise.all(Array.from({ length: 4 }, () => rollupStore(ledger.looks).count()))
  assert.deepEqual(await sums(ledger), { ...nothing, submitted: 3, canceled: 1 })
  assert.deepEqual(await sums(ledger, { queue: 'a' }), { ...nothing, submitted: 2, canceled: 1 })
  assert.deepEqual(await sums(ledger, { type: 'x' }), { ...nothing, submitted: 2 })
  assert.deepEqual(await sums(ledger, { queue: 'b', type: 'x' }), { ...nothing, submitted: 1 })
  assert.deepEqual(await sums(ledger, { queue: 'b', type: 'y' }), nothing)
})

test('what ended and was retried is not taken back, and the state is the latest', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const rollups = rollupStore(ledger.looks)
  await rollups.count()
  const tasks = [aTask(), aTask()]
  await ledger.submit(tasks)
  const worker = aWorker()
  const claim = await ledger.claim(worker)
  await ledger.ledger.finish(worker.id, [completed(claim.tasks[0]!), failed(claim.tasks[1]!)], [])
  await later(ledger)
  await rollups.count()
  assert.deepEqual(await sums(ledger), { ...nothing, submitted: 2, completed: 1, failed: 1 })

  await ledger.store.retry([claim.tasks[1]!.id])
  await later(ledger)
  await rollups.count()
  assert.deepEqual(await sums(ledger), { ...nothing, submitted: 2, completed: 1, failed: 1 })
  const { points } = await lastHour(ledger)
  const last = points.findLast(({ pending }) => pending > 0)
  assert.equal(last?.pending, 1)
  assert.notEqual(last?.oldestPendingAgeMs, null)
})

test('times of several processes are added up, and read as percentiles', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const times = { queue: 'q', type: 't', waiting: [0, 0, 0, 0, 10], running: [] }
  await Promise.all(Array.from({ length: 5 }, () => rollupStore(ledger.looks).addTimes([times])))
  await rollupStore(ledger.looks).addTimes([{ ...times, type: 'u', waiting: [50], running: [3] }])
  const found = (await lastHour(ledger, { queue: 'q' })).points.filter(({ waitingMs }) => waitingMs)
  assert.equal(found.length, 1)
  assert.deepEqual(found[0]!.waitingMs, { p50: 1, p95: 2, p99: 2 })
  assert.deepEqual(found[0]!.runningMs, { p50: 0.5, p95: 0.9, p99: 1 })
  const other = (await lastHour(ledger, { type: 't' })).points.filter(({ waitingMs }) => waitingMs)
  assert.deepEqual([other[0]!.waitingMs?.p50, other[0]!.runningMs], [1.8, null])
})

test('minutes go after a day and quarters of an hour after nine', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const add = (minutes: number, age: string) =>
    query(
      ledger.url,
      `insert into millrace.rollups (minutes, at, queue, type) values (${minutes}, now() - interval '${age}', '', '')`,
    )
  for (const [minutes, age] of [
    [1, '23 hours'],
    [1, '26 hours'],
    [15, '26 hours'],
    [15, '10 days'],
  ] as const)
    await add(minutes, age)
  await rollupStore(ledger.looks).forget()
  const left = await query<{ minutes: number }>(ledger.url, 'select minutes from millrace.rollups order by 1')
  assert.deepEqual(
    left.map(({ minutes }) => minutes),
    [1, 15],
  )
})

test('queues tell how fast they move, and when they are empty if it goes on like this', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const rollups = rollupStore(ledger.looks)
  await rollups.count()
  for (let n = 0; n < 3; n++) await ledger.submit([aTask()])
  const worker = aWorker()
  const claim = await ledger.ledger.claim(worker, { room: 2, queues: ['default'], look: 2 })
  assert.equal(claim.tasks.length, 2)
  await ledger.ledger.finish(worker.id, [completed(claim.tasks[0]!), failed(claim.tasks[1]!)], [])
  await ledger.submit([aTask({ queue: 'other' })])
  await later(ledger)
  await rollups.count()
  const [busy, other] = (await ledger.reader.stats()).queues
  assert.ok(busy!.endedPerSecond > 0 && busy!.submittedPerSecond > busy!.endedPerSecond)
  assert.equal(busy!.drainsInMs, null, 'more comes than ends')
  assert.deepEqual([other!.endedPerSecond, other!.drainsInMs], [0, null])

  await query(ledger.url, `update millrace.rollups set submitted = 0`)
  const [quiet] = (await ledger.reader.stats()).queues
  // One is pending. The rate is told in hundredths.
  assert.ok(Math.abs(1000 / quiet!.drainsInMs! - quiet!.endedPerSecond) <= 0.01)
})
