import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyOf } from '../../src/domain/why.ts'
import { queueStore } from '../../src/storage/queues.ts'
import { situationReader } from '../../src/storage/situation.ts'
import { announceText } from '../../src/storage/workers.ts'
import {
  aTask,
  aWorker,
  completed,
  failed,
  ledgerUnderTest,
  newId,
  retried,
  someTasks,
} from '../support/ledger.ts'

test('why a task does not run, state by state', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { situationOf, pastOf } = situationReader(ledger)
  const queues = queueStore(ledger.looks)

  async function why(id: string) {
    const situation = await situationOf(id)
    assert.ok(situation)
    return whyOf(situation)
  }
  const codeOf = async (id: string) => (await why(id)).code

  /** A live worker, as it announces itself. */
  async function present({
    queues = ['default'],
    types = ['plain'],
  }: {
    queues?: string[]
    types?: string[]
  } = {}) {
    const worker = aWorker({ types })
    await ledger.looks.run({ name: '', text: announceText }, [
      ...[worker.id, 'crane', 7, '1.0.0', queues, types, 100, 0],
    ])
    return worker
  }

  async function submitted(wish: Parameters<typeof aTask>[0] = {}) {
    const task = aTask(wish)
    await ledger.submit([task])
    return task.id
  }

  await t.test('there is no such task', async () => {
    assert.equal(await situationOf(newId()), undefined)
    assert.equal(await pastOf(newId()), undefined)
  })

  await t.test('due later, whether there are workers or not', async () => {
    assert.equal(await codeOf(await submitted({ due: { afterMs: 60_000 } })), 'due-later')
  })

  await t.test('nobody for its queue, nobody for its type, and then it starts', async () => {
    const id = await submitted()
    assert.equal(await codeOf(id), 'no-worker-for-queue')
    await present({ queues: ['other'] })
    assert.equal(await codeOf(id), 'no-worker-for-queue')
    await present({ types: ['other'] })
    assert.equal(await codeOf(id), 'no-worker-for-type')
    await present()
    assert.equal(await codeOf(id), 'starting')
  })

  await t.test('put off by workers that cannot run it', async () => {
    const worker = await present({ types: ['other'] })
    const id = await submitted()
    const { packets } = await ledger.claim(worker)
    await ledger.ledger.postpone(
      worker.id,
      packets.map((packet) => packet.id),
    )
    assert.equal(await ledger.statusOf(id), 'scheduled')
    const reason = await why(id)
    assert.equal(reason.code, 'no-worker-for-type')
    assert.match(reason.sentence, /offered again at/)
    await present()
    assert.equal(await codeOf(id), 'starting')
  })

  await t.test('its queue is paused', async () => {
    await present()
    const id = await submitted()
    await queues.pause('default')
    assert.equal(await codeOf(id), 'queue-paused')
    await queues.resume('default')
    assert.equal(await codeOf(id), 'starting')
  })

  await t.test('its queue is full, or its key', async () => {
    const worker = await present()
    await queues.change('default', { concurrency: 2, keyConcurrency: 1 })
    const tasks = [aTask({ key: 'a' }), aTask({ key: 'a' }), aTask({ key: 'b' }), aTask({ key: 'c' })]
    await ledger.submit(tasks)
    const [one, two] = tasks.map(({ id }) => id)
    const { tasks: started } = await ledger.ledger.claim(worker, { room: 9, gate: 'default' })
    assert.equal(started.length, 2)
    const codes = await Promise.all(tasks.map(({ id }) => codeOf(id)))
    assert.deepEqual(codes.toSorted(), ['key-limit', 'queue-limit', 'running', 'running'].toSorted())
    assert.deepEqual([codes[0], codes[1]], ['running', 'key-limit'])
    assert.deepEqual((await why(two!)).details, {
      ...{ queue: 'default', key: 'a', running: 1, concurrency: 1, ratePerSecond: null, readyInMs: null },
    })
    assert.equal(await codeOf(one!), 'running')
  })

  await t.test('behind others: higher ones, older ones, and those before it in its packet', async () => {
    await present()
    const [high, old, young] = [
      someTasks(30, { priority: 'high' }),
      someTasks(250),
      someTasks(10, { priority: 'low' }),
    ]
    await ledger.submit(young)
    await ledger.submit(old)
    await ledger.submit(high)
    await ledger.submit([aTask({ queue: 'other' })])
    const aheadOf = async (id: string) => (await situationOf(id))!.ahead
    assert.equal(await aheadOf(high[7]!.id), 7)
    assert.equal(await aheadOf(old[120]!.id), 150)
    assert.equal(await aheadOf(young[9]!.id), 289)
    const reason = await why(young[9]!.id)
    assert.deepEqual([reason.code, reason.sentence], ['behind-others', '289 ahead of it.'])
  })

  await t.test('behind others in the lane of its key', async () => {
    const worker = await present()
    await queues.change('default', { concurrency: 1 })
    await ledger.submit([...someTasks(9, { key: 'a' }), ...someTasks(3, { key: 'b' })])
    const { tasks: started } = await ledger.ledger.claim(worker, { room: 1, gate: 'default' })
    await queues.change('default', { concurrency: 5 })
    const waiting = await ledger.reader.list({ key: 'a', status: ['pending'], ...page })
    const ahead = (await situationOf(waiting.tasks[0]!.id))!.ahead
    assert.equal(started.length, 1)
    assert.ok(ahead >= 8 && ahead <= 11, `${ahead} ahead`)
  })

  await t.test('and when, by what has ended lately', async () => {
    const worker = await present()
    const done = await ledger.started(worker)
    await ledger.rows(`insert into rollups (minutes, at, queue, type, completed)
      values (1, date_trunc('minute', now()) - interval '1 minute', 'default', '', 8)`)
    await ledger.rows(
      `update rollup_clock set written_to = date_trunc('minute', now()) + interval '20 seconds'`,
    )
    await ledger.ledger.finish(worker.id, [completed(done)], [done.packet])
    const tasks = someTasks(20)
    await ledger.submit(tasks)
    const { perSecond } = (await situationOf(tasks[19]!.id))!
    assert.ok(perSecond! > 0.05 && perSecond! <= 0.1, String(perSecond)) // 8 in 80 seconds, or 140 at the turn of a minute
    assert.match((await why(tasks[19]!.id)).sentence, /^19 ahead of it, about 3 min\.$/)
  })

  await t.test('running, backing off, failed, canceled, completed', async () => {
    const worker = await present()
    const task = await ledger.started(worker)
    assert.equal((await why(task.id)).sentence.replace(/for .*/, ''), 'Attempt 1 runs on crane, ')
    const past = await pastOf(task.id)
    assert.ok(past?.claimedAt)
    await ledger.ledger.finish(worker.id, [retried(task, 60_000)], [task.packet])
    assert.equal(await codeOf(task.id), 'backing-off')
    await ledger.store.cancel([task.id])
    assert.match((await why(task.id)).sentence, /^Canceled/)
    await ledger.store.retry([task.id])
    assert.equal(await codeOf(task.id), 'starting')
    for (const [end, words] of [
      [completed, /^Completed/],
      [failed, /^Failed for good/],
    ] as const) {
      const one = await ledger.started(worker)
      await ledger.ledger.finish(worker.id, [end(one)], [one.packet])
      assert.match((await why(one.id)).sentence, words)
    }
  })

  await t.test('runs with a worker that nobody knows', async () => {
    const task = await ledger.started(aWorker())
    assert.match((await why(task.id)).sentence, /is not to be seen/)
  })
})

const page = { limit: 50, include: { payload: false, result: false } }
