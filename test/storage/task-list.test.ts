import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintOf } from '../../src/domain/fingerprint.ts'
import type { TaskFilter, TaskPage } from '../../src/domain/ports.ts'
import { type Status, statuses } from '../../src/domain/task.ts'
import type { Database, Statement } from '../../src/storage/connection.ts'
import { listTasks } from '../../src/storage/task-list.ts'
import {
  aFailure,
  aTask,
  aWorker,
  completed,
  failed,
  ledgerUnderTest,
  newId,
  someTasks,
} from '../support/ledger.ts'

test('listing tasks', async (t) => {
  const ledger = await ledgerUnderTest(t)

  const list = (filter: Partial<TaskFilter> = {}) =>
    ledger.reader.list({ limit: 50, include: { payload: false, result: false }, ...filter })
  const idsOf = async (filter: Partial<TaskFilter>) => (await list(filter)).tasks.map(({ id }) => id)

  async function pages(filter: Partial<TaskFilter>): Promise<string[][]> {
    const found: string[][] = []
    for (let before: string | undefined; ; ) {
      const { tasks, next } = await list({ ...filter, ...(before ? { before } : {}) })
      found.push(tasks.map(({ id }) => id))
      if (next === null) return found
      before = next
    }
  }

  /** `count` tasks in each status; the ids by status, newest first. */
  async function someInEachStatus(count: number): Promise<Record<Status, string[]>> {
    const ids = {} as Record<Status, string[]>
    const worker = aWorker()
    const submit = async (later: boolean) => {
      const tasks = someTasks(count, later ? { due: { afterMs: 60_000 } } : {})
      await ledger.submit(tasks)
      return tasks.map(({ id }) => id).toReversed()
    }
    const started = async () => {
      const ids = await submit(false)
      return { ids, ...(await ledger.claim(worker)) }
    }
    for (const [status, end] of [
      ['completed', completed],
      ['failed', failed],
    ] as const) {
      const claim = await started()
      ids[status] = claim.ids
      const packets = claim.packets.map(({ id }) => id)
      await ledger.ledger.finish(
        worker.id,
        claim.tasks.map((task) => end(task)),
        packets,
      )
    }
    ids.canceled = await submit(false)
    await ledger.store.cancel(ids.canceled)
    ids.processing = (await started()).ids
    ids.pending = await submit(false)
    ids.scheduled = await submit(true)
    return ids
  }

  await t.test('answers nothing where there is nothing', async () => {
    assert.deepEqual(await list(), { tasks: [], next: null, prev: null, searchedTo: null })
    assert.deepEqual(await list({ status: ['failed'] }), {
      tasks: [],
      next: null,
      prev: null,
      searchedTo: null,
    })
    assert.deepEqual(await list({ batchId: newId() }), {
      tasks: [],
      next: null,
      prev: null,
      searchedTo: null,
    })
  })

  await t.test('goes from the newest to the oldest, in pages without gaps or repeats', async () => {
    const tasks = someTasks(23)
    await ledger.submit(tasks)

    const found = await pages({ limit: 10 })

    assert.deepEqual(
      found.map((page) => page.length),
      [10, 10, 3],
    )
    assert.deepEqual(found.flat(), tasks.map(({ id }) => id).toReversed())
  })

  await t.test('says that there is no next page when the last one is full', async () => {
    await ledger.submit(someTasks(20))

    assert.deepEqual(
      (await pages({ limit: 10 })).map((page) => page.length),
      [10, 10],
    )
  })

  await t.test('keeps to its place while tasks are submitted', async () => {
    const tasks = someTasks(20)
    await ledger.submit(tasks)
    const first = await list({ limit: 10 })

    await ledger.submit(someTasks(5))

    const second = await idsOf({ limit: 10, before: first.next! })
    assert.deepEqual(
      second,
      tasks
        .slice(0, 10)
        .map(({ id }) => id)
        .toReversed(),
    )
  })

  await t.test('finds the tasks of each status, and of several', async () => {
    const ids = await someInEachStatus(3)

    for (const status of statuses) assert.deepEqual(await idsOf({ status: [status] }), ids[status], status)
    for (const several of [
      ['failed', 'canceled'],
      ['pending', 'processing', 'scheduled'],
      ['completed', 'pending'],
    ] as const) {
      const expected = several
        .flatMap((status) => ids[status])
        .sort()
        .reverse()
      assert.deepEqual(await idsOf({ status: several }), expected, several.join())
      assert.deepEqual((await pages({ status: several, limit: 2 })).flat(), expected, several.join())
    }
  })

  await t.test('finds more of a status than one step takes', async () => {
    const ids = await someInEachStatus(450)

    for (const status of statuses)
      assert.deepEqual((await pages({ status: [status], limit: 200 })).flat(), ids[status])
  })

  await t.test('does not stop early at tasks that are in several packets', async () => {
    const tasks = someTasks(300)
    await ledger.submit(tasks)
    const twice = tasks.slice(290).map(({ id }) => id)
    await ledger.store.cancel(twice)
    await ledger.store.retry(twice)

    assert.equal((await pages({ status: ['pending'], limit: 200 })).flat().length, 300)
  })

  await t.test('filters by type, queue, and both with a status', async () => {
    const [a, b, c] = [
      aTask({ type: 'mail' }),
      aTask({ queue: 'slow' }),
      aTask({ type: 'mail', queue: 'slow' }),
    ]
    await ledger.submit([a, b, c, aTask()])
    await ledger.store.cancel([a.id])

    assert.deepEqual(await idsOf({ type: 'mail' }), [c.id, a.id])
    assert.deepEqual(await idsOf({ queue: 'slow' }), [c.id, b.id])
    assert.deepEqual(await idsOf({ type: 'mail', queue: 'slow' }), [c.id])
    assert.deepEqual(await idsOf({ type: 'mail', status: ['canceled'] }), [a.id])
  })

  await t.test('finds the tasks of a batch, also with a status', async () => {
    const batchId = newId()
    const before = aTask()
    const tasks = someTasks(5, { batchId })
    await ledger.submit([before])
    const batch = { id: batchId, total: 5, firstId: tasks[0]!.id, lastId: tasks[4]!.id }
    await ledger.submit(tasks, { batches: [batch] })
    await ledger.submit([aTask()])
    await ledger.store.cancel([tasks[1]!.id])

    assert.deepEqual(await idsOf({ batchId }), tasks.map(({ id }) => id).toReversed())
    assert.deepEqual(
      (await pages({ batchId, limit: 2 })).map((page) => page.length),
      [2, 2, 1],
    )
    assert.deepEqual(await idsOf({ batchId, status: ['canceled'] }), [tasks[1]!.id])
  })

  await t.test('filters by the time of submission', async () => {
    const [old, young] = [aTask(), aTask()]
    await ledger.submit([old, young])
    await ledger.rows(`update tasks set created_at = '2026-01-01T10:00:00Z' where id = $1`, [old.id])
    const between = { createdAfter: '2000-01-01T00:00:00Z', createdBefore: '2026-06-01T00:00:00Z' }

    assert.deepEqual(await idsOf({ createdAfter: '2026-01-01T10:00:00Z' }), [young.id, old.id])
    assert.deepEqual(await idsOf({ createdAfter: '2026-01-01T10:00:00.001Z' }), [young.id])
    assert.deepEqual(await idsOf({ createdAfter: new Date(Date.now() + 60_000).toISOString() }), [])
    assert.deepEqual(await idsOf({ createdBefore: new Date(Date.now() - 3_600_000).toISOString() }), [])
    assert.deepEqual(await idsOf({ ...between, createdBefore: '2099-01-01T00:00:00Z' }), [young.id, old.id])
  })

  await t.test('filters by the beginning of the type, by key, worker and age', async () => {
    const types = ['email.send', 'email.check', 'emails', 'sms']
    const tasks = types.map((type) => aTask({ type, key: type.slice(0, 3) }))
    await ledger.submit(tasks)
    const [send, check, emails, sms] = tasks.map(({ id }) => id)
    await ledger.rows(`update tasks set created_at = now() - interval '2 hours' where id = $1`, [check])

    assert.deepEqual(await idsOf({ type: 'email.*' }), [check, send])
    assert.deepEqual(await idsOf({ type: 'email*' }), [emails, check, send])
    assert.deepEqual(await idsOf({ type: '*' }), [sms, emails, check, send])
    assert.deepEqual(await idsOf({ type: 'email' }), [])
    assert.deepEqual(await idsOf({ key: 'ema' }), [emails, check, send])
    assert.deepEqual(await idsOf({ youngerThanMs: 3_600_000, type: 'email*' }), [emails, send])
    assert.deepEqual(await idsOf({ olderThanMs: 3_600_000, createdAfter: '2000-01-01T00:00:00Z' }), [])
    assert.deepEqual(await idsOf({ youngerThanMs: 1_000_000_000, olderThanMs: 0, key: 'sms' }), [sms])
  })

  await t.test('finds what a worker runs, and what it has run', async () => {
    const [one, two] = [aWorker(), aWorker()]
    const running = await ledger.started(one)
    const done = await ledger.started(one)
    await ledger.started(two)
    await ledger.ledger.finish(one.id, [completed(done)], [done.packet])
    await ledger.submit([aTask()])

    assert.deepEqual(await idsOf({ workerId: one.id, status: ['processing'] }), [running.id])
    assert.deepEqual(await idsOf({ workerId: one.id }), [done.id, running.id])
    assert.deepEqual(await idsOf({ workerId: one.id, status: ['pending', 'processing'] }), [running.id])
  })

  await t.test('finds failures that are alike, as long as they are failed', async () => {
    const worker = aWorker()
    const fail = async (message: string) => {
      const task = await ledger.started(worker)
      const failure = aFailure(task.attempt, message)
      await ledger.ledger.finish(
        worker.id,
        [{ task, status: 'failed', failure, maxAttempts: 3 }],
        [task.packet],
      )
      return { id: task.id, fingerprint: fingerprintOf(failure) }
    }
    const [one, two, other] = [await fail('row 1 is bad'), await fail('row 22 is bad'), await fail('no luck')]
    const { fingerprint } = one

    assert.deepEqual(await idsOf({ fingerprint }), [two.id, one.id])
    assert.deepEqual(await idsOf({ fingerprint, status: ['failed', 'canceled'] }), [two.id, one.id])
    assert.deepEqual((await pages({ fingerprint, limit: 1 })).flat(), [two.id, one.id])
    assert.deepEqual(await idsOf({ fingerprint: other.fingerprint }), [other.id])
    await ledger.store.retry([two.id])
    assert.deepEqual(await idsOf({ fingerprint }), [one.id])
  })

  await t.test('reads tasks that are named, whatever the limit, and only those that fit', async () => {
    const tasks = someTasks(7)
    await ledger.submit(tasks)
    const ids = tasks.map(({ id }) => id)
    await ledger.store.cancel([ids[0]!])

    const page = await list({ ids: [...ids.slice(0, 5), newId()], limit: 2 })
    assert.deepEqual(
      page.tasks.map(({ id }) => id),
      ids.slice(0, 5).reverse(),
    )
    assert.deepEqual([page.next, page.prev], [null, null])
    assert.deepEqual(await idsOf({ ids, status: ['canceled'] }), [ids[0]])
  })

  await t.test('goes back the way that it came, and on to what has come since', async () => {
    const tasks = someTasks(25)
    await ledger.submit(tasks)
    const ids = tasks.map(({ id }) => id).reverse()
    for (const filter of [{}, { status: ['pending'] }] as const) {
      const first = await list({ ...filter, limit: 10 })
      const second = await list({ ...filter, limit: 10, before: first.next! })
      const third = await list({ ...filter, limit: 10, before: second.next! })
      const idsIn = ({ tasks }: TaskPage) => tasks.map(({ id }) => id)
      assert.equal(first.prev, null)
      const back = await list({ ...filter, limit: 10, after: third.prev! })
      assert.deepEqual(idsIn(back), idsIn(second))
      const start = await list({ ...filter, limit: 10, after: back.prev! })
      assert.deepEqual([idsIn(start), start.prev], [ids.slice(0, 10), null])
      assert.deepEqual(idsIn(await list({ ...filter, limit: 10, before: start.next! })), idsIn(second))
    }
    const top = await list({ limit: 10 })
    await ledger.submit(someTasks(3))
    const since = await list({ limit: 10, after: top.tasks[0]!.id })
    assert.equal(since.tasks.length, 3)
    assert.equal(since.next, since.tasks.at(-1)!.id)
    const nothing = await list({ limit: 10, after: since.tasks[0]!.id })
    assert.deepEqual([nothing.tasks, nothing.prev], [[], null])
    assert.equal((await list({ limit: 1, before: nothing.next! })).tasks[0]!.id, since.tasks[0]!.id)
  })

  await t.test('leaves payload and result out unless they are asked for', async () => {
    const task = await ledger.started(aWorker(), { payload: '{"b":1.0}' })
    await ledger.ledger.finish(newId(), [completed(task, '1e400')], [])

    const [plain] = (await list()).tasks
    const [full] = (await list({ include: { payload: true, result: true } })).tasks

    assert.ok(plain && !('payload' in plain) && !('result' in plain))
    assert.deepEqual([full?.payload, full?.result], ['{"b":1.0}', '1e400'])
  })

  await t.test(
    'answers with what it has when the search takes long, and says how far it looked',
    async () => {
      let id = 2n ** 120n
      const nextId = () =>
        (--id)
          .toString(16)
          .padStart(32, '0')
          .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      // A table without end in which nothing matches.
      const run = async (statement: Statement, values: readonly unknown[] = []) => {
        if (statement.name !== 'tasks.search-key-desc') return []
        return [[values[2], nextId(), []]]
      }
      const database: Database = {
        ...ledger.looks,
        run: (statement, values) => run(statement, values) as Promise<never[]>,
      }

      const page = await listTasks(database, {
        type: 'none',
        limit: 10,
        include: { payload: false, result: false },
      })

      assert.deepEqual(page.tasks, [])
      assert.ok(page.searchedTo)
      assert.equal(page.next, page.searchedTo)
    },
  )
})
