import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueLimits } from '../../src/domain/queue.ts'
import { gateOf } from '../../src/storage/gate-of.ts'
import { queueStore } from '../../src/storage/queues.ts'
import { aTask, aWorker, completed, ledgerUnderTest } from '../support/ledger.ts'

test('what holds a task back at the gate of its queue', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const queues = queueStore(ledger.moves)
  const worker = aWorker()
  const limit = (limits: Partial<QueueLimits>) => queues.change('default', limits)
  const claim = () => ledger.ledger.claim(worker, { room: 10, gate: 'default' })
  const holdOf = (id: string) => gateOf(ledger.looks, id)

  /** One that runs or has run, and one that waits. */
  async function oneOfTwo(limits: Partial<QueueLimits>, keys: (string | undefined)[] = ['a', 'a']) {
    await limit(limits)
    const tasks = keys.map((key) => aTask(key === undefined ? {} : { key }))
    await ledger.submit(tasks)
    const claimed = await claim()
    assert.equal(claimed.tasks.length, 1)
    const waiting = tasks.find(({ id }) => id !== claimed.tasks[0]!.id)!.id
    return { waiting, claimed }
  }

  await t.test('is nothing where there are no limits, and for a task that does not wait', async () => {
    const task = aTask()
    await ledger.submit([task])
    assert.equal(await holdOf(task.id), undefined)
    await queues.pause('default')
    await queues.resume('default')
    assert.equal(await holdOf(task.id), undefined)
    await claim()
    await queues.pause('default')
    assert.equal(await holdOf(task.id), undefined)
    assert.equal(await holdOf(aTask().id), undefined)
  })

  await t.test('is the pause of the queue before all limits', async () => {
    const { waiting } = await oneOfTwo({ concurrency: 1, keyConcurrency: 1 })
    await queues.pause('default')

    const hold = await holdOf(waiting)

    assert.equal(hold?.by, 'queue-paused')
    assert.ok(hold?.by === 'queue-paused' && Date.parse(hold.pausedAt) > 0)
  })

  await t.test('is the key when as many of it run as may', async () => {
    const { waiting, claimed } = await oneOfTwo({ concurrency: 10, keyConcurrency: 1 })
    const bound = { running: 1, concurrency: 1, ratePerSecond: null, readyInMs: null }

    assert.deepEqual(await holdOf(waiting), { by: 'key-limit', queue: 'default', key: 'a', ...bound })
    await ledger.ledger.finish(
      worker.id,
      claimed.tasks.map((task) => completed(task)),
      claimed.packets.map(({ id }) => id),
    )
    assert.equal(await holdOf(waiting), undefined)
  })

  await t.test('is the queue when as many run as may, whatever their keys', async () => {
    const { waiting } = await oneOfTwo({ concurrency: 1, keyConcurrency: 5 }, ['a', undefined])

    const hold = await holdOf(waiting)

    assert.equal(hold?.by, 'queue-limit')
    assert.ok(hold?.by === 'queue-limit' && hold.running === 1 && hold.concurrency === 1)
  })

  await t.test('is a rate until the next one is due', async () => {
    const { waiting } = await oneOfTwo({ ratePerSecond: 0.01 })
    const ofQueue = await holdOf(waiting)
    assert.ok(ofQueue?.by === 'queue-limit' && ofQueue.readyInMs! > 10_000, JSON.stringify(ofQueue))
    await limit({ ratePerSecond: null })
    assert.equal(await holdOf(waiting), undefined)
  })

  await t.test('is the rate of its key until that is due', async () => {
    const { waiting } = await oneOfTwo({ keyRatePerSecond: 0.01 })
    const ofKey = await holdOf(waiting)
    assert.ok(ofKey?.by === 'key-limit' && ofKey.readyInMs! > 10_000, JSON.stringify(ofKey))
  })
})
