import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { aTask, aWorker, completed, ledgerUnderTest, retried, someTasks } from '../support/ledger.ts'
import { query } from '../support/postgres.ts'
import { until } from '../support/until.ts'

test('packets in hand', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { postpone, giveBack, held, lapsed, finish } = ledger.ledger
  const { promote } = ledger.upkeep

  await t.test('are given back unspent: what runs and what never started, in the old order', async () => {
    const worker = aWorker()
    const tasks = [...someTasks(3), aTask({ type: 'strange' })]
    await ledger.submit(tasks)
    const claim = await ledger.claim(worker)
    await finish(worker.id, [completed(claim.tasks[1]!)], [])

    const refs = await giveBack(worker.id, await held(worker.id))

    const packets = await ledger.rows('select id, task_ids, worker_id from packets')
    const left = [tasks[0]!.id, tasks[2]!.id, tasks[3]!.id]
    assert.deepEqual(packets, [[refs[0]!.id, left, null]])
    const [row] = await ledger.rows('select max(attempt), max(failures), max(crashes) from tasks')
    assert.deepEqual(row, [1, 0, 0])
    await ledger.assertSound()
  })

  await t.test('are given back by nobody else', async () => {
    const worker = aWorker()
    await ledger.started(worker)
    const packets = await held(worker.id)

    assert.deepEqual(await giveBack(aWorker().id, packets), [])

    assert.deepEqual(await held(worker.id), packets)
    await ledger.assertSound()
  })

  await t.test('are given back once', async () => {
    const worker = aWorker()
    await ledger.started(worker)
    const packets = await held(worker.id)

    const refs = (await Promise.all([1, 2, 3].map(() => giveBack(worker.id, packets)))).flat()

    assert.equal(refs.length, 1)
    await ledger.assertSound()
  })

  await t.test('leave no packet behind of which everything is done', async () => {
    const worker = aWorker()
    const task = await ledger.started(worker)
    await ledger.store.cancel([task.id])

    assert.deepEqual(await giveBack(worker.id, await held(worker.id)), [])

    assert.deepEqual(await ledger.rows('select from packets'), [])
  })

  await t.test('have what nobody here serves put off, later each time, with nothing spent', async () => {
    const task = aTask({ type: 'strange' })
    await ledger.submit([task, aTask()])
    const delays: number[] = []

    for (const waitedSeconds of [0, 10, 30, 1000]) {
      await ledger.rows(`update tasks set created_at = now() - $1 * interval '1 second' where id = $2`, [
        waitedSeconds,
        task.id,
      ])
      const worker = aWorker()
      const { packets } = await ledger.claim(worker)
      await postpone(
        worker.id,
        packets.map(({ id }) => id),
      )
      assert.equal(await ledger.statusOf(task.id), 'scheduled')
      await ledger.assertSound()
      const [row] = await ledger.rows<[number]>(
        'select extract(epoch from run_at - now())::float8 from schedule',
      )
      delays.push(Math.ceil(row![0]))
      await ledger.rows('update schedule set run_at = now()')
      await promote(10, 10)
    }

    assert.deepEqual(delays, [1, 5, 15, 60])
    const [row] = await ledger.rows('select attempt, failures, crashes from tasks where id = $1', [task.id])
    assert.deepEqual(row, [0, 0, 0])
  })

  await t.test('have nothing put off that runs, that is done, or that another worker has', async () => {
    const worker = aWorker()
    const running = await ledger.started(worker)
    const canceled = await ledger.started(worker)
    await ledger.store.cancel([canceled.id])

    await postpone(worker.id, [running.packet, canceled.packet])
    await ledger.submit([aTask({ type: 'strange' })])
    const other = await ledger.claim(aWorker())
    await postpone(
      worker.id,
      other.packets.map(({ id }) => id),
    )

    assert.deepEqual(await ledger.rows('select from schedule'), [])
    await ledger.assertSound()
  })

  await t.test('have nothing put off while they are being put back', async (t) => {
    const worker = aWorker()
    await ledger.submit([aTask({ type: 'strange' })])
    const { packets } = await ledger.claim(worker)
    const client = new pg.Client({ connectionString: ledger.url, options: '-c search_path=millrace' })
    await client.connect()
    t.after(() => client.end())
    await client.query('begin')
    await client.query('delete from packets')

    const postponed = postpone(worker.id, [packets[0]!.id])
    await until(
      () =>
        query(
          ledger.url,
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        ).then(
          (rows) => rows.length > 0 || ledger.rows('select from schedule').then((due) => due.length > 0),
        ),
      { what: 'it waits for the packet, or is done' },
    )
    await client.query('commit')
    await postponed

    assert.deepEqual(await ledger.rows('select status from tasks'), [['pending']])
  })

  await t.test('tell which attempts are not the worker’s any more', async () => {
    const worker = aWorker()
    await ledger.submit(someTasks(5))
    const { tasks } = await ledger.claim(worker)
    const [mine, canceled, done, again, gone] = tasks
    await ledger.store.cancel([canceled!.id])
    await finish(worker.id, [completed(done!), retried(again!)], [])
    await promote(10, 10)
    await ledger.claim(worker)
    await ledger.rows('delete from tasks where id = $1', [gone!.id])

    const answer = await lapsed(
      worker.id,
      tasks.map(({ id, attempt }) => ({ id, attempt })),
    )

    const ids = answer.map(({ id }) => id).sort()
    assert.deepEqual(ids, [canceled!.id, done!.id, again!.id, gone!.id].sort())
    assert.deepEqual(await lapsed(worker.id, [{ id: mine!.id, attempt: 1 }]), [])
    assert.deepEqual(await lapsed(aWorker().id, [{ id: mine!.id, attempt: 1 }]), [
      { id: mine!.id, attempt: 1 },
    ])
  })
})

test('tasks that are due later', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { promote } = ledger.upkeep
  const becomeDue = () => ledger.rows(`update schedule set run_at = now() - interval '1 second'`)

  await t.test('become pending when they are due, and not before', async () => {
    const tasks = [aTask({ due: { at: '2020-01-01T00:00:00Z' } }), aTask({ due: { afterMs: 60_000 } })]
    await ledger.submit(tasks)

    const { packets, nextInMs } = await promote(10, 10)

    assert.equal(packets.length, 1)
    assert.ok(nextInMs! > 50_000 && nextInMs! <= 60_000)
    assert.deepEqual(
      (await ledger.claim(aWorker())).tasks.map(({ id }) => id),
      [tasks[0]!.id],
    )
    assert.equal((await promote(10, 10)).packets.length, 0)
    await ledger.assertSound()
  })

  await t.test('are not mentioned when there are none', async () => {
    assert.deepEqual(await promote(10, 10), { packets: [], nextInMs: null })
  })

  await t.test('go into packets of their own queue and priority, of at most the size asked for', async () => {
    const later = { due: { afterMs: 60_000 } }
    await ledger.submit([
      ...someTasks(5, later),
      ...someTasks(3, { ...later, priority: 'high' }),
      ...someTasks(2, { ...later, queue: 'other' }),
    ])
    await becomeDue()

    const { packets } = await promote(100, 2)

    const sizes = await ledger.rows(
      'select queue, priority, cardinality(task_ids) from packets order by 1, 2, 3',
    )
    assert.deepEqual(sizes, [
      ['default', 1, 1],
      ['default', 1, 2],
      ['default', 1, 2],
      ['default', 2, 1],
      ['default', 2, 2],
      ['other', 1, 2],
    ])
    assert.equal(packets.length, 6)
    await ledger.assertSound()
  })

  await t.test('become pending once, whoever promotes, and in portions', async () => {
    await ledger.submit(someTasks(500, { due: { afterMs: 60_000 } }))
    await becomeDue()

    const first = await promote(100, 10)
    assert.deepEqual([first.packets.length, first.nextInMs], [10, 0])
    while (
      (await Promise.all(Array.from({ length: 6 }, () => promote(60, 10)))).some((r) => r.packets.length > 0)
    );

    assert.deepEqual(await ledger.rows('select count(*) from packets cross join unnest(task_ids)'), [[500]])
    await ledger.assertSound()
  })

  await t.test('stay canceled when they were', async () => {
    const task = aTask({ due: { afterMs: 60_000 } })
    await ledger.submit([task])
    await ledger.store.cancel([task.id])
    // As a cancellation leaves it that waited for the task.
    await ledger.rows('insert into schedule values ($1, now())', [task.id])

    assert.deepEqual(await promote(10, 10), { packets: [], nextInMs: null })
    assert.equal(await ledger.statusOf(task.id), 'canceled')
  })
})
