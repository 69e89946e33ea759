import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskFilter } from '../../src/domain/ports.ts'
import { type Status, statuses } from '../../src/domain/task.ts'
import type { Database, Statement } from '../../src/storage/connection.ts'
import { listTasks } from '../../src/storage/task-list.ts'
import { aTask, aWorker, completed, failed, ledgerUnderTest, newId, someTasks } from '../support/ledger.ts'

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
    assert.deepEqual(await list(), { tasks: [], next: null, searchedTo: null })
    assert.deepEqual(await list({ status: ['failed'] }), { tasks: [], next: null, searchedTo: null })
    assert.deepEqual(await list({ batchId: newId() }), { tasks: [], next: null, searchedTo: null })
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
        if (statement.name !== 'tasks.next-by-key') return []
        return Array.from({ length: Number(values[2]) }, () => [nextId()])
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
