import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import pg from 'pg'
import { idSource } from '../../src/domain/id.ts'
import type { Database } from '../../src/storage/connection.ts'
import { keepPartitions, missingPartitions, partitionWidthMs } from '../../src/storage/partitions.ts'
import { partitionsReachAhead } from '../../src/storage/readiness.ts'
import { aTask, aWorker, completed, ledgerUnderTest } from '../support/ledger.ts'
import { query } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const dayMs = 86_400_000

describe('which partitions are missing', () => {
  const nowMs = Date.UTC(2030, 0, 10, 15)
  const today = Date.UTC(2030, 0, 10)
  const span = ({ lowerMs, upperMs }: { lowerMs: number; upperMs: number }) => [
    (lowerMs - today) / dayMs,
    (upperMs - today) / dayMs,
  ]

  test('those of today and of two widths ahead, where there is none', () => {
    const missing = missingPartitions([], nowMs, 4 * dayMs)

    assert.deepEqual(missing.map(span), [
      [0, 4],
      [4, 8],
      [8, 12],
    ])
    assert.equal(missing[0]?.name, 'tasks_20300110')
  })

  test('none where all are there', () => {
    const known = missingPartitions([], nowMs, dayMs)

    assert.deepEqual(missingPartitions(known, nowMs, dayMs), [])
    assert.deepEqual(missingPartitions(known, nowMs + dayMs, dayMs).map(span), [[3, 4]])
  })

  test('those beside what is there, when the width has changed', () => {
    const narrow = missingPartitions([], nowMs, dayMs)
    const gap = narrow.toSpliced(1, 1)

    assert.deepEqual(missingPartitions(narrow, nowMs, 7 * dayMs).map(span), [
      [3, 10],
      [10, 17],
    ])
    assert.deepEqual(missingPartitions(gap, nowMs, 7 * dayMs).map(span), [
      [1, 2],
      [3, 10],
      [10, 17],
    ])
  })

  test('some ten for any retention', () => {
    const widths = [1, 7, 8, 9, 30, 365].map((days) => partitionWidthMs(days) / dayMs)
    assert.deepEqual(widths, [1, 1, 1, 2, 4, 46])
  })
})

test('partitions', async (t) => {
  // Each on a database of its own, because partitions stay.
  const spans = `select name, lower_id, upper_id from partitions order by 1`
  const farId = idSource(() => Date.now() + 20 * dayMs)

  await t.test(
    'are made by many processes at once, with different retentions, without overlapping',
    async (t) => {
      const ledger = await ledgerUnderTest(t)
      const rounds = [1, 30, 365, 30, 90].map((days) => ledger.upkeep.keepPartitions(days))

      await Promise.all(rounds)
      await ledger.upkeep.keepPartitions(365)
      const made = await ledger.rows<[string, string, string]>(spans)
      await ledger.upkeep.keepPartitions(365)

      assert.deepEqual(await ledger.rows(spans), made)
      for (let i = 1; i < made.length; i++) assert.ok(made[i - 1]![2] <= made[i]![1])
      assert.ok(await partitionsReachAhead(ledger.looks))
    },
  )

  await t.test('are left to the process that was faster, whatever its retention', async (t) => {
    const ledger = await ledgerUnderTest(t)
    const made = await ledger.rows(spans)
    // It looked before the other had made them.
    const late: Database = {
      ...ledger.looks,
      run: async (statement, values) =>
        statement.name === 'partitions.list' ? [] : ledger.looks.run(statement, values),
    }

    await keepPartitions(late, 8)

    assert.deepEqual(await ledger.rows(spans), made)
  })

  await t.test('are complained about before they run out', async (t) => {
    const ledger = await ledgerUnderTest(t)
    await ledger.rows('delete from partitions')

    await assert.rejects(partitionsReachAhead(ledger.looks), /less than a day of partitions/)
  })

  await t.test('take over what a skewed clock put into the default partition', async (t) => {
    const ledger = await ledgerUnderTest(t)
    const stray = aTask({ id: farId(), payload: '"stray"' })
    await ledger.submit([stray])
    const home = () => ledger.rows('select tableoid::regclass::text from tasks where id = $1', [stray.id])
    assert.deepEqual(await home(), [['tasks_default']])

    await keepPartitions(ledger.looks, 365)

    assert.notDeepEqual(await home(), [['tasks_default']])
    assert.equal((await ledger.claim(aWorker())).tasks[0]?.payload, '"stray"')
    await ledger.assertSound()
  })

  await t.test('lose no outcome that is written while its task moves', async (t) => {
    const ledger = await ledgerUnderTest(t)
    const worker = aWorker()
    const task = await ledger.started(worker, { id: farId() })
    const blocker = new pg.Client({ connectionString: ledger.url })
    blocker.on('error', () => {})
    await blocker.connect()
    t.after(() => blocker.end())
    // Lets a new partition be made, filled and attached, and not be committed yet.
    await blocker.query('begin; lock table millrace.partitions in share mode')
    const waiting = (count: number) =>
      until(
        async () => {
          const found = await query(
            ledger.url,
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
          return found.length >= count
        },
        { what: `${count} wait` },
      )

    const moving = keepPartitions(ledger.looks, 365)
    await waiting(1)
    const finishing = ledger.ledger.finish(worker.id, [completed(task)], [task.packet])
    await waiting(2)
    await blocker.query('commit')
    await Promise.all([moving, finishing])

    assert.equal(await ledger.statusOf(task.id), 'completed')
    await ledger.assertSound()
  })
})
