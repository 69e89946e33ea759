import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { aTask, aWorker, holdPacket, ledgerUnderTest, newId, someTasks } from '../support/ledger.ts'
import { query } from '../support/postgres.ts'
import { until } from '../support/until.ts'

test('claiming', async (t) => {
  const ledger = await ledgerUnderTest(t, { connections: 8 })

  async function packetIds(): Promise<number[]> {
    return (await ledger.rows<[number]>('select id from packets order by id')).map(([id]) => id)
  }

  const someoneWaits = () =>
    query(
      ledger.url,
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )

  await t.test('starts pending tasks: attempt 1, this worker, the time of the start', async () => {
    const worker = aWorker()
    const task = aTask({ maxAttempts: 7, timeoutMs: 9_000 })
    await ledger.submit([task])

    const claim = await ledger.claim(worker)

    const packet = (await packetIds())[0]!
    const { id, queue, type, payload } = task
    const fresh = { attempt: 1, failures: 0, crashes: 0, maxAttempts: 7, timeoutMs: 9_000 }
    const { waitedMs, ...claimed } = claim.tasks[0]!
    assert.deepEqual(claimed, { id, packet, queue, type, payload, ...fresh })
    assert.ok(waitedMs >= 0 && waitedMs < 60_000)
    assert.deepEqual(claim.packets, [{ id: packet, started: 1, size: 1 }])
    const read = await ledger.reader.get(id)
    assert.deepEqual([read?.status, read?.attempt, read?.workerId], ['processing', 1, worker.id])
    assert.ok(read?.startedAt)
    await ledger.assertSound()
  })

  await t.test('takes nothing twice', async () => {
    await ledger.submit(someTasks(5))
    await ledger.claim(aWorker())

    const again = await ledger.claim(aWorker())
    const named = await ledger.ledger.claim(aWorker(), { room: 10, packets: await packetIds() })

    for (const claim of [again, named])
      assert.deepEqual(claim, { tasks: [], packets: [], oversized: [], blocked: [] })
  })

  await t.test('starts no task that was canceled, and says how many it did start', async () => {
    const tasks = someTasks(3)
    await ledger.submit(tasks)
    await ledger.store.cancel([tasks[1]!.id])

    const claim = await ledger.claim(aWorker())

    assert.deepEqual(
      claim.tasks.map(({ id }) => id),
      [tasks[0]!.id, tasks[2]!.id],
    )
    assert.deepEqual(
      claim.packets.map(({ started, size }) => [started, size]),
      [[2, 3]],
    )
    assert.equal(await ledger.statusOf(tasks[1]!.id), 'canceled')
    await ledger.assertSound()
  })

  await t.test('starts only the types that the worker has handlers for', async () => {
    const [mine, strange] = [aTask(), aTask({ type: 'strange' })]
    await ledger.submit([mine, strange])

    const claim = await ledger.claim(aWorker())

    assert.deepEqual(
      claim.tasks.map(({ id }) => id),
      [mine.id],
    )
    assert.equal(await ledger.statusOf(strange.id), 'pending')
    await ledger.assertSound()
  })

  await t.test('takes what fits into the room and says what it left', async () => {
    await ledger.submit(someTasks(30), { packetSize: 10 })

    const claim = await ledger.claim(aWorker(), 25)

    const [first, second, third] = await packetIds()
    assert.deepEqual(claim.packets.map(({ id }) => id).sort(), [first, second])
    assert.deepEqual(claim.blocked, [third])
    assert.equal(claim.tasks.length, 20)
    await ledger.assertSound()
  })

  await t.test('does not let small packets overtake one that waits for room', async () => {
    await ledger.submit(someTasks(10), { packetSize: 10 })
    await ledger.submit([aTask()])

    const claim = await ledger.claim(aWorker(), 5)

    assert.deepEqual(claim.packets, [])
    assert.deepEqual(claim.blocked, await packetIds())
  })

  await t.test('leaves a packet over its limit, which can be cut then', async () => {
    const worker = aWorker({ packetLimit: 4 })
    const tasks = someTasks(10)
    await ledger.submit(tasks)
    const [large] = await packetIds()

    const claim = await ledger.claim(worker)
    const pieces = await ledger.ledger.split(claim.oversized, 4)

    assert.deepEqual([claim.oversized, claim.packets], [[large], []])
    const stored = await ledger.rows<[string[]]>('select task_ids from packets order by id')
    assert.deepEqual(
      stored.map(([ids]) => ids.length),
      [4, 4, 2],
    )
    assert.deepEqual(
      stored.flatMap(([ids]) => ids),
      tasks.map(({ id }) => id),
    )
    assert.deepEqual(
      pieces.map(({ id }) => id),
      await packetIds(),
    )
    assert.equal((await ledger.claim(worker)).tasks.length, 10)
    await ledger.assertSound()
  })

  await t.test('takes an oversized packet for nobody when it is named, either', async () => {
    await ledger.submit(someTasks(5))
    const packets = await packetIds()

    const claim = await ledger.ledger.claim(aWorker({ packetLimit: 2 }), { room: 10, packets })

    assert.deepEqual([claim.oversized, claim.packets, claim.blocked], [packets, [], []])
  })

  await t.test('cuts no packet that somebody holds or that is small enough', async () => {
    await ledger.submit(someTasks(10))
    await ledger.claim(aWorker())
    await ledger.submit(someTasks(3))
    const before = await packetIds()

    assert.deepEqual(await ledger.ledger.split(before, 4), [])

    assert.deepEqual(await packetIds(), before)
  })

  await t.test('takes higher priorities first, then older packets, over all its queues', async () => {
    const order = [
      aTask({ priority: 'low', queue: 'b' }),
      aTask({ priority: 'normal', queue: 'a' }),
      aTask({ priority: 'high', queue: 'b' }),
      aTask({ priority: 'normal', queue: 'b' }),
      aTask({ priority: 'high', queue: 'a' }),
      aTask({ priority: 'high', queue: 'not mine' }),
    ]
    for (const task of order) await ledger.submit([task])
    const worker = aWorker()

    const taken: string[] = []
    for (let i = 0; i < order.length; i++) {
      const { tasks } = await ledger.ledger.claim(worker, { room: 1, queues: ['a', 'b'], look: 10 })
      taken.push(...tasks.map(({ id }) => id))
    }

    assert.deepEqual(
      taken,
      [2, 4, 1, 3, 0].map((i) => order[i]!.id),
    )
  })

  await t.test('gives no task to two workers that search at the same time', async () => {
    const tasks = someTasks(400)
    await ledger.submit(tasks, { packetSize: 5 })

    const claims = await Promise.all(
      Array.from({ length: 40 }, () =>
        ledger.ledger.claim(aWorker(), { room: 10, queues: ['default'], look: 3 }),
      ),
    )

    const started = claims.flatMap((claim) => claim.tasks.map(({ id }) => id))
    assert.equal(new Set(started).size, started.length)
    assert.ok(claims.filter((claim) => claim.tasks.length > 0).length > 1)
    await ledger.assertSound()
  })

  await t.test('gives no task to two workers to whom the same packets are named', async () => {
    await ledger.submit(someTasks(200), { packetSize: 10 })
    const packets = await packetIds()

    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        ledger.ledger.claim(aWorker(), { room: 200, packets: i % 2 ? packets : packets.toReversed() }),
      ),
    )

    const started = claims.flatMap((claim) => claim.tasks.map(({ id }) => id))
    assert.equal(new Set(started).size, 200)
    assert.equal(started.length, 200)
    await ledger.assertSound()
  })

  await t.test('searches past packets that another worker is just taking', async (t) => {
    await ledger.submit(someTasks(2), { packetSize: 1 })
    const [first, second] = await packetIds()
    await holdPacket(t, ledger.url, first!)

    const claim = await ledger.claim(aWorker())

    assert.deepEqual(
      claim.packets.map(({ id }) => id),
      [second],
    )
  })

  await t.test(
    'waits for the other holder of a named packet and takes it when that one gives up',
    async (t) => {
      await ledger.submit([aTask()])
      const [packet] = await packetIds()
      const other = await holdPacket(t, ledger.url, packet!)

      const claiming = ledger.ledger.claim(aWorker(), { room: 1, packets: [packet!] })
      await until(async () => (await someoneWaits()).length > 0, { what: 'the claim waits' })
      await other.query('rollback')

      assert.deepEqual((await claiming).packets, [{ id: packet, started: 1, size: 1 }])
      await ledger.assertSound()
    },
  )

  await t.test('leaves a named packet to its other holder when that one commits', async (t) => {
    await ledger.submit([aTask()])
    const [packet] = await packetIds()
    const other = await holdPacket(t, ledger.url, packet!)

    const claiming = ledger.ledger.claim(aWorker(), { room: 1, packets: [packet!] })
    await until(async () => (await someoneWaits()).length > 0, { what: 'the claim waits' })
    await other.query('commit')

    assert.deepEqual(await claiming, { tasks: [], packets: [], oversized: [], blocked: [] })
  })

  await t.test('does not start a task whose cancellation is being committed', async (t) => {
    const task = aTask()
    await ledger.submit([task])
    const canceler = new pg.Client({ connectionString: ledger.url })
    canceler.on('error', () => {})
    await canceler.connect()
    t.after(() => canceler.end())
    await canceler.query('begin')
    await canceler.query(`update millrace.tasks set status = 'canceled', finished_at = now() where id = $1`, [
      task.id,
    ])

    const claiming = ledger.claim(aWorker())
    await until(async () => (await someoneWaits()).length > 0, { what: 'the claim waits' })
    await canceler.query('commit')

    assert.deepEqual((await claiming).tasks, [])
    assert.equal(await ledger.statusOf(task.id), 'canceled')
  })

  await t.test('starts a task once that is in two packets', async () => {
    const task = aTask()
    await ledger.submit([task])
    await ledger.store.cancel([task.id])
    await ledger.store.retry([task.id])
    assert.equal((await packetIds()).length, 2)

    const claim = await ledger.claim(aWorker())

    assert.equal(claim.tasks.length, 1)
    assert.deepEqual(claim.packets.map(({ started }) => started).sort(), [0, 1])
    await ledger.assertSound()
  })

  await t.test('finds what a worker holds', async () => {
    const [mine, other] = [aWorker(), aWorker()]
    await ledger.submit(someTasks(3), { packetSize: 1 })
    await ledger.claim(mine, 2)
    await ledger.claim(other)

    const [first, second, third] = await packetIds()
    assert.deepEqual(await ledger.ledger.held(mine.id), [first, second])
    assert.deepEqual(await ledger.ledger.held(other.id), [third])
    assert.deepEqual(await ledger.ledger.held(newId()), [])
  })
})
