import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreRefusedError } from '../../src/domain/errors.ts'
import { aTask, aWorker, ledgerUnderTest, newId, someTasks } from '../support/ledger.ts'

test('submitting', async (t) => {
  const ledger = await ledgerUnderTest(t)

  await t.test('stores tasks with the packets that carry them, in the order given', async () => {
    const tasks = someTasks(250)

    const { packets } = await ledger.submit(tasks)

    const stored = await ledger.rows<[string[]]>('select task_ids from packets order by id')
    assert.deepEqual(
      stored.map(([ids]) => ids),
      [0, 100, 200].map((from) => tasks.slice(from, from + 100).map((task) => task.id)),
    )
    assert.equal(packets.length, 3)
    await ledger.assertSound()
  })

  await t.test('puts each queue and priority into packets of its own', async () => {
    const [a, b, c] = [aTask(), aTask({ priority: 'high' }), aTask({ queue: 'other' })]

    const { packets } = await ledger.submit([a, b, c, aTask()])

    const places = packets.map(({ queue, priority }) => `${queue} ${priority}`).sort()
    assert.deepEqual(places, ['default high', 'default normal', 'other normal'])
    await ledger.assertSound()
  })

  await t.test('keeps every field', async () => {
    const batchId = newId()
    const task = aTask({
      type: 'email.send/fast',
      queue: 'mail',
      key: 'tenant ✓',
      priority: 'high',
      maxAttempts: 100,
      timeoutMs: 5_000_000_000,
      batchId,
    })

    const { at } = await ledger.submit([task])

    const read = await ledger.reader.get(task.id)
    assert.deepEqual(read, {
      id: task.id,
      type: 'email.send/fast',
      queue: 'mail',
      key: 'tenant ✓',
      status: 'pending',
      priority: 'high',
      payload: '{"n": 1}',
      result: null,
      error: null,
      attempt: 0,
      maxAttempts: 100,
      batchId,
      idempotencyKey: null,
      createdAt: at,
      runAt: at,
      startedAt: null,
      finishedAt: null,
      workerId: null,
      attempts: [],
      progress: null,
    })
    const [row] = await ledger.rows<[number]>('select timeout_ms from tasks')
    assert.deepEqual(row, [5_000_000_000])
  })

  await t.test('keeps the text of a payload byte for byte', async () => {
    const payloads = [
      '1e400',
      '12345678901234567890',
      '1.0',
      '-0',
      '"\\u0000"',
      '"\\ud800 alone"',
      ' {"b" : 1,\n "a":2, "b":3,\t"__proto__":null } ',
      'null',
      '"\u{1f600} \u2028 \\"quoted\\" \\\\"',
      '[]',
      `"${'x'.repeat(1024 * 1024)}"`,
    ]
    const tasks = payloads.map((payload) => aTask({ payload }))

    await ledger.submit(tasks)

    const claim = await ledger.claim(aWorker())
    const claimed = new Map(claim.tasks.map((task) => [task.id, task.payload]))
    for (const { id, payload } of tasks) {
      assert.equal((await ledger.reader.get(id))?.payload, payload)
      assert.equal(claimed.get(id), payload)
    }
  })

  await t.test('stores nothing twice when the statement is repeated', async () => {
    const tasks = [...someTasks(3), aTask({ due: { afterMs: 60_000 } })]
    await ledger.submit(tasks)

    const again = await ledger.submit(tasks)

    assert.deepEqual(again.packets, [])
    const [row] = await ledger.rows(
      'select (select count(*) from tasks), (select count(*) from packets), (select count(*) from schedule)',
    )
    assert.deepEqual(row, [4, 1, 1])
    await ledger.assertSound()
  })

  await t.test('stores nothing twice when it was repeated after its task had gone on', async () => {
    const worker = aWorker()
    const task = aTask()
    await ledger.submit([task])
    await ledger.claim(worker)

    await ledger.submit([task])

    assert.equal(await ledger.statusOf(task.id), 'processing')
    assert.deepEqual((await ledger.claim(worker)).packets, [])
    await ledger.assertSound()
  })

  await t.test('schedules what is due later, by the clock of the database', async () => {
    const delayed = aTask({ due: { afterMs: 3_600_000 } })
    const dated = aTask({ due: { at: '2031-02-03T04:05:06.789Z' } })

    const { at, packets } = await ledger.submit([delayed, dated])

    assert.deepEqual(packets, [])
    const [first, second] = [await ledger.reader.get(delayed.id), await ledger.reader.get(dated.id)]
    assert.equal(first?.status, 'scheduled')
    assert.equal(Date.parse(first.runAt), Date.parse(at) + 3_600_000)
    assert.equal(second?.runAt, '2031-02-03T04:05:06.789Z')
    await ledger.assertSound()
  })

  await t.test('stores all of a mixed batch or nothing', async () => {
    const bad = aTask({ payload: '{not json' })
    const mixed = [aTask(), aTask({ due: { afterMs: 1000 } }), bad]
    const batch = { id: newId(), total: 3, firstId: mixed[0]!.id, lastId: bad.id }

    await assert.rejects(ledger.submit(mixed, { batches: [batch] }), StoreRefusedError)

    const [row] = await ledger.rows(`
      select (select count(*) from tasks), (select count(*) from packets), (select count(*) from schedule),
             (select count(*) from batches), (select count(*) from counters)`)
    assert.deepEqual(row, [0, 0, 0, 0, 0])
  })

  await t.test('refuses a payload that is no JSON, and a date that there is none of', async () => {
    for (const wish of [
      { payload: '' },
      { payload: '{"a":1}}' },
      { payload: '"\\x"' },
      { payload: '"a\0b"' },
      { due: { at: '299999-01-01T00:00:00Z' } },
      { type: 'nul\0' },
    ]) {
      await assert.rejects(ledger.submit([aTask(), aTask(wish)]), StoreRefusedError, JSON.stringify(wish))
    }
    await ledger.assertSound()
  })

  await t.test('remembers a batch as the range of its ids', async () => {
    const id = newId()
    const tasks = someTasks(5, { batchId: id })
    const batch = { id, total: 5, firstId: tasks[0]!.id, lastId: tasks[4]!.id }

    await ledger.submit(tasks, { batches: [batch] })
    await ledger.submit(tasks, { batches: [batch] })

    const rows = await ledger.rows('select id, total, first_id, last_id from batches')
    assert.deepEqual(rows, [[id, 5, tasks[0]!.id, tasks[4]!.id]])
  })
})
