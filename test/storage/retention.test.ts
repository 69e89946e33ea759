import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { idSource, lowestIdAt } from '../../src/domain/id.ts'
import type { Database } from '../../src/storage/connection.ts'
import { retire } from '../../src/storage/retention.ts'
import { aTask, aWorker, completed, failed, ledgerUnderTest } from '../support/ledger.ts'

const dayMs = 86_400_000

/** A ledger with a partition of 40 to 36 days ago, and tasks in it. */
async function oldLedger(t: TestContext) {
  const ledger = await ledgerUnderTest(t)
  const oldMs = Date.now() - 40 * dayMs
  const oldId = idSource(() => oldMs)
  const bounds = [lowestIdAt(oldMs), lowestIdAt(oldMs + 4 * dayMs)]
  await ledger.rows('create table tasks_old (like tasks including all) with (fillfactor = 45)')
  await ledger.rows(
    `alter table tasks attach partition tasks_old for values from ('${bounds[0]}') to ('${bounds[1]}')`,
  )
  await ledger.rows(`insert into partitions values ('tasks_old', $1, $2)`, bounds)

  /** Makes what is finished look as old as its id. */
  const age = () =>
    ledger.rows(`update tasks set finished_at = now() - interval '35 days' where finished_at is not null`)
  const oldTask = async (end?: typeof failed | 'canceled') => {
    const worker = aWorker()
    const task = await ledger.started(worker, { id: oldId() })
    if (end === 'canceled') await ledger.store.cancel([task.id])
    else if (end) await ledger.ledger.finish(worker.id, [end(task)], [task.packet])
    return task.id
  }
  const partitions = async () =>
    (await ledger.rows<[string]>(`select inhrelid::regclass::text from pg_inherits`)).map(([name]) => name)
  return { ...ledger, age, oldTask, partitions, retire: () => retire(ledger.looks, 30) }
}

const count = async (ledger: { rows: (text: string) => Promise<unknown[][]> }, table: string) =>
  (await ledger.rows(`select count(*) from ${table}`))[0]![0]

test('retention', async (t) => {
  await t.test(
    "goes by the database's clock, and keeps everything where a process's own is a year ahead",
    async (t) => {
      const ledger = await oldLedger(t)
      const worker = aWorker()
      const task = await ledger.started(worker)
      await ledger.ledger.finish(worker.id, [completed(task)], [task.packet])
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 365 * dayMs })

      await ledger.retire()

      assert.equal((await ledger.reader.stats()).total, 1)
    },
  )

  await t.test(
    'drops an old partition in which everything is finished, with its counts and traces',
    async (t) => {
      const ledger = await oldLedger(t)
      await ledger.oldTask(completed)
      await ledger.oldTask(failed)
      await ledger.oldTask('canceled')
      const young = await ledger.started(aWorker())
      await ledger.age()

      await ledger.retire()

      assert.ok(!(await ledger.partitions()).includes('tasks_old'))
      assert.equal(await count(ledger, `partitions where name = 'tasks_old'`), 0)
      assert.deepEqual([await count(ledger, 'attempts'), await count(ledger, 'stopped')], [0, 0])
      assert.equal((await ledger.reader.stats()).total, 1)
      assert.equal(await ledger.statusOf(young.id), 'processing')
      await ledger.assertSound()
    },
  )

  await t.test('keeps an old partition in which something was finished a short while ago', async (t) => {
    const ledger = await oldLedger(t)
    const id = await ledger.oldTask(completed)

    await ledger.retire()

    assert.equal(await ledger.statusOf(id), 'completed')
    assert.ok((await ledger.partitions()).includes('tasks_old'))
  })

  await t.test('thins an old partition in which something is not finished', async (t) => {
    const ledger = await oldLedger(t)
    const running = await ledger.oldTask()
    const done = await ledger.oldTask(completed)
    const lost = await ledger.oldTask(failed)
    await ledger.age()
    const fresh = await ledger.oldTask(completed)

    await ledger.retire()

    const left = await Promise.all([running, done, lost, fresh].map(ledger.statusOf))
    assert.deepEqual(left, ['processing', undefined, undefined, 'completed'])
    assert.deepEqual([await count(ledger, 'attempts'), await count(ledger, 'stopped')], [0, 0])
    await ledger.assertSound()
  })

  await t.test('thins the default partition, where clocks that were far off put their tasks', async (t) => {
    const ledger = await oldLedger(t)
    const strayId = idSource(() => Date.UTC(2001, 1, 1))
    const worker = aWorker()
    const stray = await ledger.started(worker, { id: strayId() })
    await ledger.ledger.finish(worker.id, [completed(stray)], [stray.packet])
    const waiting = aTask({ id: strayId() })
    await ledger.submit([waiting])
    await ledger.age()

    await ledger.retire()

    assert.equal(await ledger.statusOf(stray.id), undefined)
    assert.equal(await ledger.statusOf(waiting.id), 'pending')
    await ledger.assertSound()
  })

  await t.test('lets nobody retry a task that is about to go', async (t) => {
    const ledger = await oldLedger(t)
    const id = await ledger.oldTask(failed)
    await ledger.rows(`update partitions set sealed_at = now() where name = 'tasks_old'`)

    assert.deepEqual(await ledger.store.retry([id]), { changes: [], packets: [] })
    assert.equal(await ledger.statusOf(id), 'failed')
  })

  await t.test('spares a task that was retried just before its partition was sealed', async (t) => {
    const ledger = await oldLedger(t)
    const id = await ledger.oldTask(failed)
    await ledger.age()
    const { store } = ledger
    // The retry comes after the look that found everything finished.
    const database: Database = {
      ...ledger.looks,
      async run(statement, values) {
        if (statement.name === 'partitions.seal') await store.retry([id])
        return ledger.looks.run(statement, values)
      },
    }

    await retire(database, 30)

    assert.equal(await ledger.statusOf(id), 'pending')
    const claim = await ledger.claim(aWorker())
    assert.deepEqual(
      claim.tasks.map((task) => task.id),
      [id],
    )
    await ledger.assertSound()
    await ledger.store.cancel([id])
    assert.equal((await ledger.store.retry([id])).packets.length, 1)
  })

  await t.test('finishes a drop that another process began and did not end', async (t) => {
    const ledger = await oldLedger(t)
    await ledger.oldTask(completed)
    await ledger.age()
    await ledger.rows(`update partitions set sealed_at = now() where name = 'tasks_old'`)

    await ledger.retire()

    assert.ok(!(await ledger.partitions()).includes('tasks_old'))
    await ledger.assertSound()
  })

  await t.test('subtracts counts once when several processes do it', async (t) => {
    const ledger = await oldLedger(t)
    for (let i = 0; i < 5; i++) await ledger.oldTask(completed)
    await ledger.age()

    const rounds = await Promise.allSettled([ledger.retire(), ledger.retire(), ledger.retire()])
    await ledger.retire()

    for (const round of rounds) {
      if (round.status === 'rejected') assert.equal(round.reason.name, 'StoreUnavailableError')
    }
    assert.ok(!(await ledger.partitions()).includes('tasks_old'))
    await ledger.assertSound()
  })

  await t.test('forgets idempotency keys with their tasks', async (t) => {
    const ledger = await oldLedger(t)
    const keyed = (key: string) => ({
      key,
      age: (days: number) =>
        ledger.rows(
          `insert into idempotency_keys values ($1, gen_random_uuid(), 'hash', now() - $2 * interval '1 day')`,
          [key, days],
        ),
    })
    await keyed('old').age(31)
    await keyed('young').age(29)

    await ledger.retire()

    assert.deepEqual(await ledger.rows('select key from idempotency_keys'), [['young']])
  })
})
