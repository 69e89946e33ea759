import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreRefusedError } from '../../src/domain/errors.ts'
import { fingerprintOf } from '../../src/domain/fingerprint.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import {
  aFailure,
  aWorker,
  completed,
  failed,
  handedBack,
  ledgerUnderTest,
  retried,
  someTasks,
} from '../support/ledger.ts'

test('finishing', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { finish } = ledger.ledger
  const worker = aWorker()
  const packets = async () => (await ledger.rows<[number]>('select id from packets')).map(([id]) => id)

  await t.test('stores a result, byte for byte, and lets go of the packet', async () => {
    const task = await ledger.started(worker)
    const result = ' {"b":1e400, "a":"\\u0000\\ud800"} '

    await finish(worker.id, [completed(task, result)], [task.packet])

    const read = await ledger.reader.get(task.id)
    assert.deepEqual([read?.status, read?.result, read?.error], ['completed', result, null])
    assert.ok(read?.finishedAt)
    assert.deepEqual(await packets(), [])
    await ledger.assertSound()
  })

  await t.test('stores an error, remembers the attempt, and lists the task as stopped', async () => {
    const task = await ledger.started(worker)
    const failure = aFailure(1)

    await finish(worker.id, [{ task, status: 'failed', failure, maxAttempts: 9 }], [task.packet])

    const read = await ledger.reader.get(task.id)
    assert.deepEqual([read?.status, read?.maxAttempts], ['failed', 9])
    assert.deepEqual(JSON.parse(read?.error ?? ''), failure)
    assert.deepEqual(
      read?.attempts.map(({ attempt, workerId }) => [attempt, workerId]),
      [[1, worker.id]],
    )
    const stopped = await ledger.rows('select task_id, fingerprint from stopped')
    assert.deepEqual(stopped, [[task.id, fingerprintOf(failure)]])
    await ledger.assertSound()
  })

  await t.test('schedules the next attempt and counts the failure', async () => {
    const task = await ledger.started(worker)

    await finish(worker.id, [retried(task, 60_000)], [task.packet])

    const [row] = await ledger.rows(`
      select t.status, failures, crashes, finished_at, s.run_at = t.run_at, s.run_at between now() + '50 s' and now() + '60 s'
        from tasks as t join schedule as s on s.task_id = t.id`)
    assert.deepEqual(row, ['scheduled', 1, 0, null, true, true])
    assert.equal((await ledger.reader.historyOf(task)).attempts.length, 1)
    await ledger.assertSound()
  })

  await t.test('hands a task back unspent, in a packet of its own', async () => {
    const task = await ledger.started(worker)

    const refs = await finish(worker.id, [handedBack(task)], [task.packet])

    const [row] = await ledger.rows(
      'select status, attempt, failures, crashes, worker_id, started_at from tasks',
    )
    assert.deepEqual(row, ['pending', 1, 0, 0, null, null])
    assert.deepEqual(
      refs.map(({ id }) => id),
      await packets(),
    )
    assert.deepEqual((await ledger.reader.historyOf(task)).attempts, [])
    await ledger.assertSound()
  })

  await t.test(
    'counts a crash where the worker saw one, and puts the task before all that wait',
    async () => {
      const task = await ledger.started(worker)
      await ledger.submit(someTasks(1))

      await finish(worker.id, [handedBack(task, true)], [task.packet])

      const [again] = (await ledger.claim(worker, 1)).tasks
      assert.deepEqual([again?.id, again?.attempt, again?.failures, again?.crashes], [task.id, 2, 0, 1])
    },
  )

  await t.test('keeps the packet while something of it runs', async () => {
    await ledger.submit(someTasks(2))
    const claim = await ledger.claim(worker)
    const [packet] = claim.packets

    await finish(worker.id, [completed(claim.tasks[0]!)], [])
    assert.deepEqual(await packets(), [packet!.id])
    await ledger.assertSound()

    await finish(worker.id, [completed(claim.tasks[1]!)], [packet!.id])
    assert.deepEqual(await packets(), [])
    await ledger.assertSound()
  })

  await t.test('lets go of no packet of another worker', async () => {
    const task = await ledger.started(worker)

    await finish(aWorker().id, [], [task.packet])

    assert.deepEqual(await packets(), [task.packet])
  })

  await t.test('writes outcomes of every kind at once', async () => {
    await ledger.submit(someTasks(40))
    const { tasks, packets: taken } = await ledger.claim(worker)
    const kinds = [completed, failed, retried, handedBack]

    const outcomes = tasks.map((task, i) => kinds[i % 4]!(task)).toReversed()
    await finish(
      worker.id,
      outcomes,
      taken.map(({ id }) => id),
    )

    const counts = (await ledger.reader.stats()).counts
    assert.deepEqual(counts, {
      scheduled: 10,
      pending: 10,
      processing: 0,
      completed: 10,
      failed: 10,
      canceled: 0,
    })
    await ledger.assertSound()
  })

  await t.test('brings the number of the next attempt and the failures so far', async () => {
    const task = await ledger.started(worker, { maxAttempts: 2 })
    await finish(worker.id, [retried(task)], [task.packet])
    await ledger.upkeep.promote(10, 10)

    const [second] = (await ledger.claim(worker)).tasks

    assert.deepEqual([second?.attempt, second?.failures, second?.maxAttempts], [2, 1, 3])
  })

  for (const [name, outcomeOf] of Object.entries({ completed, failed, retried, handedBack })) {
    await t.test(`ignores a late outcome: ${name}`, async (t) => {
      const late = async (change: (id: string) => Promise<unknown>, status: string) => {
        const task = await ledger.started(worker)
        await change(task.id)
        const before = await ledger.rows('select t::text from tasks as t where id = $1', [task.id])

        await finish(worker.id, [outcomeOf(task) as Outcome], [task.packet])

        assert.deepEqual(await ledger.rows('select t::text from tasks as t where id = $1', [task.id]), before)
        assert.equal(await ledger.statusOf(task.id), status)
        assert.deepEqual((await ledger.reader.historyOf(task)).attempts, [])
        await ledger.assertSound()
      }
      await t.test('of a canceled task', () => late((id) => ledger.store.cancel([id]), 'canceled'))
      await t.test('of one that was put back', () =>
        late(async () => ledger.ledger.giveBack(worker.id, await ledger.ledger.held(worker.id)), 'pending'),
      )
      await t.test('of one that runs again', () =>
        late(async (id) => {
          await ledger.ledger.giveBack(worker.id, await ledger.ledger.held(worker.id))
          const { tasks } = await ledger.claim(worker)
          assert.deepEqual(
            tasks.map((task) => [task.id, task.attempt]),
            [[id, 2]],
          )
        }, 'processing'),
      )
    })

    await t.test(`writes a repeated statement once: ${name}`, async () => {
      const task = await ledger.started(worker)
      await finish(worker.id, [outcomeOf(task) as Outcome], [task.packet])
      const state = () => ledger.rows('select t::text, (select count(*) from packets) from tasks as t')
      const before = await state()

      await finish(worker.id, [outcomeOf(task) as Outcome], [task.packet])

      assert.deepEqual(await state(), before)
      await ledger.assertSound()
    })
  }

  await t.test('stores errors with NUL and lone surrogates in them', async () => {
    const task = await ledger.started(worker)
    const failure = { ...aFailure(1), message: 'nul \0, half \ud800, whole \u{1f600}' }

    await finish(worker.id, [{ task, status: 'failed', failure, maxAttempts: 3 }], [task.packet])

    const read = await ledger.reader.get(task.id)
    assert.deepEqual(JSON.parse(read?.error ?? ''), failure)
  })

  for (const [what, bad] of Object.entries({
    'a result that is no JSON': (task) => completed(task, '{'),
    'a number of attempts that there cannot be': (task) => ({
      ...{ task, status: 'failed', failure: aFailure(1), maxAttempts: 101 },
    }),
  } satisfies Record<string, (task: Parameters<typeof completed>[0]) => Outcome>)) {
    await t.test(`refuses ${what} without writing half of a statement`, async () => {
      await ledger.submit(someTasks(2))
      const { tasks } = await ledger.claim(worker)

      await assert.rejects(finish(worker.id, [bad(tasks[1]!), bad(tasks[0]!)], []), StoreRefusedError)

      assert.deepEqual(await Promise.all(tasks.map(({ id }) => ledger.statusOf(id))), [
        'processing',
        'processing',
      ])
      await ledger.assertSound()
    })
  }
})
