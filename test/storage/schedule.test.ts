import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { aTask, aWorker, ledgerUnderTest, newId, retried } from '../support/ledger.ts'
import { query } from '../support/postgres.ts'
import { until } from '../support/until.ts'

test('making due tasks pending', async (t) => {
  const ledger = await ledgerUnderTest(t, { connections: 4 })

  /** Somebody's transaction. */
  async function transaction(t: { after(fn: () => Promise<void>): void }) {
    const client = new pg.Client({ connectionString: ledger.url, options: '-c search_path=millrace' })
    client.on('error', () => {})
    await client.connect()
    t.after(() => client.end())
    await client.query('begin')
    return client
  }

  await t.test('finds again what failed once more while it looked', async (t) => {
    // A row of an earlier life: its task was canceled in the moment in which it was scheduled, and retried since.
    const task = await ledger.started(aWorker())
    await ledger.rows('insert into schedule values ($1, now())', [task.id])
    // So much is due before it that the task fails, with no time to wait, between the look and the row's turn.
    const crowd = Array.from({ length: 40_000 }, newId)
    await ledger.rows(
      `insert into schedule select id, now() - interval '1 hour' from unnest($1::uuid[]) as id`,
      [crowd],
    )
    const failing = await transaction(t)
    const failed = retried(task)
    await failing.query(`update tasks set status = 'scheduled', failures = 1 where id = $1`, [failed.task.id])
    await failing.query('update schedule set run_at = now() where task_id = $1', [task.id])

    const promoted = ledger.upkeep.promote(50_000, 10)
    const locks = `select from pg_locks where locktype = 'relation' and relation = 'millrace.schedule'::regclass
                      and mode = 'RowShareLock'`
    await until(async () => (await query(ledger.url, locks)).length > 0, { what: 'it looks' })
    await failing.query('commit')
    await promoted

    await ledger.upkeep.promote(10, 10)
    assert.equal(await ledger.statusOf(task.id), 'pending')
  })

  await t.test('passes by what somebody is just canceling, and holds nobody up', async (t) => {
    const tasks = [aTask({ due: { afterMs: 0 } }), aTask({ due: { afterMs: 0 } })]
    await ledger.submit(tasks)
    const canceling = await transaction(t)
    await canceling.query('select from tasks where id = $1 for update', [tasks[0]!.id])

    const { packets } = await ledger.upkeep.promote(10, 10)

    assert.equal(packets.length, 1)
    assert.equal(await ledger.statusOf(tasks[1]!.id), 'pending')
    await canceling.query('rollback')
    assert.equal((await ledger.upkeep.promote(10, 10)).packets.length, 1)
    await ledger.assertSound()
  })

  await t.test('takes rows out of the schedule whose task has moved on or is gone', async () => {
    const task = await ledger.started(aWorker())
    await ledger.rows('insert into schedule values ($1, now()), ($2, now())', [task.id, newId()])

    assert.deepEqual((await ledger.upkeep.promote(10, 10)).packets, [])

    assert.deepEqual(await ledger.rows('select from schedule'), [])
    await ledger.assertSound()
  })
})
