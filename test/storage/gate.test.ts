import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import type { QueueLimits } from '../../src/domain/queue.ts'
import { queueStore } from '../../src/storage/queues.ts'
import { workLedger } from '../../src/storage/work-ledger.ts'
import { aWorker, completed, ledgerUnderTest, someTasks } from '../support/ledger.ts'
import { until } from '../support/until.ts'

test('the gate of a queue', async (t) => {
  const ledger = await ledgerUnderTest(t, { connections: 8 })
  const queues = queueStore(ledger.moves)

  /** A worker process with what it remembers, and the tasks that it was let have. */
  function atGate() {
    const worker = aWorker()
    const work = workLedger(ledger.moves)
    const claim = (room = 1_000) => work.claim(worker, { room, gate: 'default' })
    const finish = (claimed: Awaited<ReturnType<typeof claim>>) =>
      work.finish(
        worker.id,
        claimed.tasks.map((task) => completed(task)),
        claimed.packets.map(({ id }) => id),
      )
    return { worker, work, claim, finish }
  }

  const limit = (limits: Partial<QueueLimits>) => queues.change('default', limits)
  const admitted = async () =>
    (await ledger.rows<[number]>('select coalesce(sum(tasks), 0)::bigint from admitted'))[0]![0]
  const ofKey = (key: string, count: number) => someTasks(count, { key })
  const keysOf = async (ids: readonly string[]) => {
    const rows = await ledger.rows<[string]>('select key from tasks where id = any ($1) order by key', [ids])
    return rows.map(([key]) => key)
  }

  await t.test('lets so many of a queue run at once, whoever runs them', async () => {
    await limit({ concurrency: 5 })
    await ledger.submit(someTasks(20))
    const [one, other] = [atGate(), atGate()]

    const first = await one.claim(3)
    const second = await other.claim()
    const third = await one.claim()

    assert.deepEqual([first.tasks.length, second.tasks.length, third.tasks.length], [3, 2, 0])
    assert.deepEqual(third.gate, { waits: true, nextInMs: null })
    await one.finish(first)
    assert.equal((await other.claim()).tasks.length, 3)
    await ledger.assertSound()
  })

  await t.test('counts what was claimed before the queue had a limit', async () => {
    await ledger.submit(someTasks(4))
    const [before, after] = [atGate(), atGate()]
    const claimed = await ledger.claim(before.worker)
    await ledger.submit(someTasks(4))
    await limit({ concurrency: 6 })

    assert.equal((await after.claim()).tasks.length, 2)
    await before.finish(claimed)
    assert.equal((await after.claim()).tasks.length, 2)
  })

  await t.test('lets so many of a key run at once, and all of the others', async () => {
    await limit({ keyConcurrency: 2 })
    await ledger.submit([...ofKey('a', 10), ...ofKey('b', 1), ...someTasks(3)])
    const { claim, finish } = atGate()

    const first = await claim()
    const second = await claim()

    assert.equal(first.tasks.length, 6)
    assert.deepEqual((await keysOf(first.tasks.map(({ id }) => id))).filter((key) => key === 'a').length, 2)
    assert.equal(second.tasks.length, 0)
    await finish(first)
    assert.equal((await claim()).tasks.length, 2)
    await ledger.assertSound()
  })

  await t.test('lets as many of a key start as have ended, while others of it run', async () => {
    await limit({ keyConcurrency: 3 })
    await ledger.submit(ofKey('a', 10))
    const { worker, work, claim } = atGate()
    const { tasks } = await claim()

    await work.finish(worker.id, [completed(tasks[0]!)], [])

    assert.equal((await claim()).tasks.length, 1)
    assert.equal((await claim()).tasks.length, 0)
    await ledger.assertNothingLost()
  })

  await t.test('gives keys turns: ten do not wait for ten thousand', async () => {
    await limit({ concurrency: 20 })
    await ledger.submit(ofKey('many', 3_000))
    const { claim, finish } = atGate()
    const first = await claim()
    await ledger.submit(ofKey('few', 10))
    await finish(first)

    const second = await claim()

    const keys = await keysOf(second.tasks.map(({ id }) => id))
    assert.equal(keys.filter((key) => key === 'few').length, 10)
    assert.equal(keys.length, 20)
  })

  await t.test('gives each of many keys its turn before any has a second one', async () => {
    await limit({ concurrency: 10 })
    const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`)
    await ledger.submit(keys.flatMap((key) => ofKey(key, 5)))
    const { claim, finish } = atGate()
    const served: string[] = []
    for (let round = 0; round < 3; round++) {
      const claimed = await claim()
      served.push(...(await keysOf(claimed.tasks.map(({ id }) => id))))
      await finish(claimed)
    }

    assert.deepEqual(served.toSorted(), keys.toSorted())
  })

  await t.test('gives back what a dead worker had', async () => {
    await limit({ concurrency: 4, keyConcurrency: 2 })
    await ledger.submit([...ofKey('a', 6), ...ofKey('b', 6)])
    const [dead, living] = [atGate(), atGate()]
    await dead.claim()
    assert.equal((await living.claim()).tasks.length, 0)

    await ledger.ledger.giveBack(dead.worker.id, await ledger.ledger.held(dead.worker.id))

    await until(async () => (await living.claim()).tasks.length === 4, { what: 'the slots are free again' })
    assert.equal(await admitted(), 4)
    await ledger.assertNothingLost()
  })

  await t.test('lets so many start in a second', async () => {
    await limit({ ratePerSecond: 0.2 })
    await ledger.submit(someTasks(20))
    const { claim } = atGate()

    const first = await claim()
    const second = await claim()

    assert.deepEqual([first.tasks.length, second.tasks.length], [1, 0])
    assert.ok(second.gate!.nextInMs! > 10 && second.gate!.nextInMs! <= 5_000, `${second.gate!.nextInMs}`)
  })

  await t.test('lets so many of a key start in a second, also when its lane was empty', async () => {
    await limit({ keyRatePerSecond: 0.5 })
    await ledger.submit([...ofKey('a', 1), ...ofKey('b', 2)])
    const { claim } = atGate()

    const first = await claim()
    await ledger.submit(ofKey('a', 1))
    const second = await claim()

    assert.deepEqual([first.tasks.length, second.tasks.length], [2, 0])
    assert.ok(second.gate!.nextInMs! <= 2_000)
    await until(async () => (await claim()).tasks.length > 0, { what: 'the next of a key' })
  })

  await t.test('forgets what a slow rate had put off when it is changed', async () => {
    await limit({ ratePerSecond: 0.001, keyRatePerSecond: 0.001 })
    await ledger.submit(ofKey('a', 3))
    const { claim } = atGate()
    assert.equal((await claim()).tasks.length, 1)
    assert.ok((await claim()).gate!.nextInMs! > 100_000)

    await limit({ ratePerSecond: null, keyRatePerSecond: 100 })

    assert.ok((await claim()).gate!.nextInMs! <= 1_000)
  })

  await t.test('lets nothing start while the queue is paused', async () => {
    await limit({ concurrency: 5 })
    await ledger.submit(someTasks(3))
    const { claim } = atGate()
    await queues.pause('default')
    await queues.pause('default')

    assert.equal((await claim()).tasks.length, 0)
    await queues.resume('default')
    assert.equal((await claim()).tasks.length, 3)
  })

  await t.test('lets everything through when the limits are taken away, then is needed no more', async () => {
    await limit({ concurrency: 1 })
    await ledger.submit(someTasks(150))
    const { claim, finish } = atGate()
    await finish(await claim())
    await limit({ concurrency: null })
    assert.deepEqual(await queues.gates(), [{ queue: 'default', isPaused: false }])

    const rest = await claim()
    await finish(rest)
    await ledger.submit(someTasks(5))
    await claim()
    const last = await claim()

    assert.equal(rest.tasks.length, 149)
    assert.equal(last.gate, undefined)
    assert.deepEqual(await queues.gates(), [])
    await ledger.assertSound()
  })

  await t.test('passes by what was canceled while it was parked, a thousand in a lane', async () => {
    await limit({ keyConcurrency: 1 })
    const tasks = ofKey('a', 1_000)
    await ledger.submit(tasks)
    const { claim, finish } = atGate()
    await finish(await claim())
    await ledger.store.cancel(tasks.slice(1, -1).map(({ id }) => id))

    let looks = 0
    await until(
      async () => {
        looks += 1
        const claimed = await claim()
        if (claimed.tasks.length === 0) await finish(claimed)
        return claimed.tasks.length === 1
      },
      { what: 'the last one' },
    )

    assert.ok(looks < 30, `${looks} looks`)
    await ledger.assertSound()
  })

  await t.test('keeps the order of priority and age within a key', async () => {
    await limit({ concurrency: 1 })
    const [first, second] = someTasks(2)
    const [urgent] = someTasks(1, { priority: 'high' })
    await ledger.submit([first!, second!, urgent!])
    const { claim, finish } = atGate()
    const order: string[] = []
    for (let i = 0; i < 3; i++) {
      const claimed = await claim()
      order.push(claimed.tasks[0]!.id)
      await finish(claimed)
    }

    assert.deepEqual(order, [urgent!.id, first!.id, second!.id])
  })

  await t.test('is passed by one at a time, and with a pause that was just answered by nobody', async (t) => {
    await limit({ concurrency: 5 })
    await ledger.submit(someTasks(3))
    const { claim } = atGate()
    const other = new pg.Client({ connectionString: ledger.url })
    other.on('error', () => {})
    await other.connect()
    t.after(() => other.end())
    await other.query(`begin; update millrace.queues set paused_at = now() where name = 'default'`)
    const claiming = claim()
    await until(
      async () =>
        (
          await ledger.rows(`select from pg_stat_activity where wait_event_type = 'Lock'
                                   and datname = current_database()`)
        ).length > 0,
      { what: 'a look that waits for the row' },
    )
    await other.query('commit')

    assert.equal((await claiming).tasks.length, 0)
  })

  await t.test('never lets more through when many look at once', async () => {
    await limit({ concurrency: 10, keyConcurrency: 3 })
    await ledger.submit([...ofKey('a', 50), ...ofKey('b', 50), ...ofKey('c', 50), ...someTasks(50)])
    const workers = Array.from({ length: 8 }, atGate)
    const first = await workers[0]!.claim(1) // so that all are parked, and nothing but the lock keeps them apart
    const claims = await Promise.all(workers.map(({ claim }) => claim()))

    const tasks = [first, ...claims].flatMap((claim) => claim.tasks)
    const keys = await keysOf(tasks.map(({ id }) => id))
    assert.equal(tasks.length, 10)
    for (const key of ['a', 'b', 'c']) assert.ok(keys.filter((k) => k === key).length <= 3)
    await ledger.assertNothingLost()
  })
})
