import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BulkVerb } from '../../src/domain/bulk-action.ts'
import { StoreUnavailableError } from '../../src/domain/errors.ts'
import type { TaskScope } from '../../src/domain/ports.ts'
import { bulkStore } from '../../src/storage/bulk-actions.ts'
import type { Database } from '../../src/storage/connection.ts'
import { askingForBulkActions, type BulkDeps, keepingBulkActions } from '../../src/usecases/bulk-actions.ts'
import { aTask, aWorker, completed, failed, ledgerUnderTest, newId, someTasks } from '../support/ledger.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

test('bulk actions', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const actions = bulkStore(ledger)

  function processWith(change: Partial<BulkDeps> = {}) {
    const told = { canceled: [] as string[], packets: 0, batches: [] as string[], settled: 0, errors: 0 }
    const deps: BulkDeps = {
      ...{ actions, newId, retentionDays: 30 },
      log: { ...log, error: () => void told.errors++ },
      notices: { canceled: (attempts) => void told.canceled.push(...attempts.map(({ id }) => id)) },
      announce: (packets) => {
        told.packets += packets.length
      },
      settle: async (ids) => {
        told.settled += ids.length
      },
      touched: (ids) => void told.batches.push(...ids),
      ...change,
    }
    const keeper = keepingBulkActions(deps)
    return { ...keeper, ...askingForBulkActions(deps, keeper), told }
  }

  const here = processWith()
  const ask = (action: BulkVerb, scope: TaskScope = {}, start = false) =>
    here.createBulkAction({ action, scope, start, filter: JSON.stringify(scope) })

  /** Until nothing is open any more. */
  async function goOn(keeper = here) {
    for (let waitMs = 0; waitMs < 1_000; ) waitMs = await keeper.goOn(10)
  }

  async function submitted(count: number, wish: Parameters<typeof aTask>[0] = {}) {
    const tasks = someTasks(count, wish)
    await ledger.submit(tasks)
    return tasks.map(({ id }) => id)
  }

  async function ended(
    count: number,
    end: typeof completed | typeof failed,
    wish: Parameters<typeof aTask>[0] = {},
  ) {
    const worker = aWorker()
    const ids = await submitted(count, wish)
    const { tasks, packets } = await ledger.claim(worker)
    await ledger.ledger.finish(
      worker.id,
      tasks.map((task) => end(task)),
      packets.map(({ id }) => id),
    )
    return ids
  }

  /** What is open, as if nobody had it. */
  async function taken() {
    await ledger.rows('update bulk_actions set leased_until = now()')
    return actions.take(newId(), 0)
  }

  const numberOf = async (status: string) =>
    (await ledger.rows<[number]>('select count(*) from tasks where status = $1', [status]))[0]![0]
  const lots = async () => (await ledger.rows('select from bulk_action_lots')).length

  await t.test('are counted first, and do nothing until they are started', async () => {
    await submitted(1_234)
    await submitted(5, { queue: 'other' })
    const counted = await ask('cancel', { queue: 'default' })
    await goOn()
    const ready = await here.readBulkAction(counted.id)
    assert.deepEqual([ready.status, ready.matched, ready.done, await lots()], ['ready', 1_234, 0, 3])
    assert.equal(await numberOf('canceled'), 0)
    const begun = await here.startBulkAction(ready.id)
    await goOn()
    const done = await here.readBulkAction(ready.id)
    assert.deepEqual(
      [done.status, done.matched, done.done, done.skipped, await lots()],
      ['done', 1_234, 1_234, 0, 0],
    )
    assert.ok(begun.startedAt && done.finishedAt && done.ratePerSecond! > 0)
    assert.equal(await numberOf('canceled'), 1_234)
    assert.equal((await here.startBulkAction(ready.id)).status, 'done')
    await assert.rejects(here.abortBulkAction(ready.id), { code: 'bulk-action-over' })
    await ledger.assertSound()
  })

  await t.test('cancel what is scheduled, pending and running, and tell those who run it', async () => {
    await ended(2, completed)
    const worker = aWorker()
    const running = await ledger.started(worker)
    await submitted(3)
    await submitted(3, { due: { afterMs: 60_000 } })
    const before = here.told.canceled.length
    const { id } = await ask('cancel', {}, true)
    await goOn()
    const { status, matched, done } = await here.readBulkAction(id)
    assert.deepEqual([status, matched, done], ['done', 7, 7])
    assert.deepEqual(here.told.canceled.slice(before), [running.id])
    await ledger.ledger.finish(worker.id, [completed(running)], [running.packet])
    assert.equal(await ledger.statusOf(running.id), 'canceled')
    await ledger.assertSound()
  })

  await t.test(
    'are for what there was when they were created, and what has moved on since is skipped',
    async () => {
      const ids = await submitted(10)
      const { id } = await ask('cancel', { status: ['pending'] })
      const later = await submitted(5)
      const worker = aWorker()
      const { tasks } = await ledger.ledger.claim(worker, { room: 10, queues: ['default'], look: 1 })
      assert.deepEqual(tasks.map((task) => task.id).sort(), ids)
      await ledger.store.cancel([ids[0]!])
      await here.startBulkAction(id)
      await goOn()
      const { done, skipped } = await here.readBulkAction(id)
      assert.deepEqual([done, skipped], [0, 10])
      assert.equal(await ledger.statusOf(later[0]!), 'pending')
    },
  )

  await t.test('retry a group of failures, in packets of many', async () => {
    const ids = await ended(250, failed)
    await ended(3, failed, { type: 'plain' })
    await ledger.store.cancel(await submitted(2))
    const [[fingerprint]] = (await ledger.rows<[string]>('select fingerprint from stopped limit 1')) as [
      [string],
    ]
    const { id } = await ask('retry', { fingerprint }, true)
    await goOn()
    const { done, matched } = await here.readBulkAction(id)
    assert.deepEqual([done, matched], [253, 253])
    assert.equal(await ledger.statusOf(ids[0]!), 'pending')
    const packets = await ledger.rows('select from packets where worker_id is null')
    assert.ok(packets.length < 10, `${packets.length} packets`)
    assert.ok(here.told.packets >= 3 && here.told.settled >= 253)
    await ledger.assertNothingLost()
  })

  await t.test('delete what has ended, with all that is kept beside it', async () => {
    const batchId = newId()
    const keyed = aTask({ idempotencyKey: 'k' })
    await ledger.store.submitKeyed([keyed], {
      allOrNothing: true,
      loadOf: (now) => ({
        ...{ now: [...now], later: [], batches: [] },
        packets: [{ queue: 'default', priority: 'normal', first: 0, last: 0 }],
      }),
    })
    const tasks = someTasks(4, { batchId })
    const range = { total: 4, firstId: tasks[0]!.id, lastId: tasks[3]!.id }
    await ledger.submit(tasks, { batches: [{ id: batchId, ...range }] })
    const worker = aWorker()
    const claim = await ledger.claim(worker)
    await ledger.ledger.finish(
      worker.id,
      claim.tasks.map((task, i) => (i % 2 ? failed(task) : completed(task))),
      claim.packets.map(({ id }) => id),
    )
    await submitted(2)
    await ledger.rows('update batches set finished_at = now()')
    const { id } = await ask('delete', {}, true)
    await goOn()
    const { done, matched, skipped } = await here.readBulkAction(id)
    assert.deepEqual([done, matched, skipped], [5, 5, 0])
    assert.equal((await ledger.rows('select from tasks')).length, 2)
    for (const table of ['attempts', 'stopped', 'idempotency_keys'])
      assert.deepEqual(await ledger.rows(`select from ${table}`), [], table)
    await ledger.assertSound()
  })

  await t.test('do not delete tasks of a batch that is not finished', async () => {
    const batchId = newId()
    const tasks = someTasks(4, { batchId })
    const range = { total: 4, firstId: tasks[0]!.id, lastId: tasks[3]!.id }
    await ledger.submit(tasks, { packetSize: 1, batches: [{ id: batchId, ...range }] })
    const worker = aWorker()
    const claim = await ledger.ledger.claim(worker, { room: 2, queues: ['default'], look: 2 })
    await ledger.ledger.finish(
      worker.id,
      claim.tasks.map((task) => completed(task)),
      claim.packets.map(({ id }) => id),
    )
    const { id } = await ask('delete', { batchId }, true)
    await goOn()
    const { done, skipped } = await here.readBulkAction(id)
    assert.deepEqual([done, skipped], [0, 2])
    await ledger.assertSound()
  })

  await t.test('are for tasks that are named', async () => {
    const ids = await submitted(10)
    const { id, matched } = await ask('cancel', { ids: [...ids.slice(0, 3), newId()] }, true)
    await goOn()
    assert.equal(matched, 3)
    assert.deepEqual([(await here.readBulkAction(id)).done, await numberOf('canceled')], [3, 3])
  })

  await t.test('stop where they are told to', async () => {
    await submitted(1_600)
    const { id } = await ask('cancel')
    await actions.start(id)
    const [open] = await taken()
    const lot = await actions.nextLot(id)
    await actions.doLot(open!, lot!)
    const next = await actions.nextLot(id)
    assert.equal((await here.abortBulkAction(id)).status, 'aborted')
    assert.equal(await actions.doLot(open!, next!), undefined)
    assert.equal((await here.abortBulkAction(id)).done, 500)
    assert.deepEqual([await numberOf('canceled'), await lots()], [500, 0])
    await assert.rejects(here.startBulkAction(id), { code: 'bulk-action-over' })
  })

  await t.test('count each lot once, whoever does it and however often', async () => {
    await submitted(2_600)
    const { id } = await ask('cancel')
    await actions.start(id)
    const [open] = await taken()
    const lot = (await actions.nextLot(id))!
    const both = await Promise.all([actions.doLot(open!, lot), actions.doLot(open!, lot)])
    assert.equal(both.filter(Boolean).length, 1)
    assert.equal(await actions.doLot(open!, lot), undefined)
    await Promise.all([goOn(processWith()), goOn(processWith()), goOn()])
    await goOn()
    const { done, skipped, status } = await here.readBulkAction(id)
    assert.deepEqual([status, done, skipped], ['done', 2_600, 0])
    await ledger.assertSound()
  })

  await t.test(
    'go on in another process after the death of the one that did them, at any statement',
    async () => {
      await submitted(1_700)
      const { id } = await here.createBulkAction({ action: 'cancel', scope: {}, start: true, filter: '{}' })
      for (let statements = 1; statements < 60; statements++) {
        const dying = bulkStore({
          moves: mortal(ledger.moves, statements),
          looks: mortal(ledger.looks, statements),
        })
        await processWith({ actions: dying })
          .goOn(1)
          .catch(() => {})
        await ledger.rows(`update bulk_actions set leased_until = now()`)
      }
      await goOn()
      const { done, skipped, status, matched } = await here.readBulkAction(id)
      assert.deepEqual([status, matched, done, skipped], ['done', 1_700, 1_700, 0])
      await ledger.assertSound()
    },
  )

  await t.test('leave one that another process does alone, for as long as it lives', async () => {
    await submitted(10)
    const { id } = await ask('cancel')
    const other = newId()
    await actions.start(id)
    assert.equal((await actions.take(other, 60_000)).length, 0, 'the one that counted it has it for a while')
    await ledger.rows(`update bulk_actions set leased_until = now()`)
    assert.equal((await actions.take(other, 60_000)).length, 1)
    assert.equal(await here.goOn(10), 1_000)
    assert.equal((await here.readBulkAction(id)).done, 0)
    await ledger.rows(`update bulk_actions set leased_until = now()`)
    await goOn()
    assert.equal((await here.readBulkAction(id)).done, 10)
  })

  await t.test('that fail for another reason than an outage say so, and are over', async () => {
    await submitted(10)
    const broken = processWith({ settle: () => Promise.reject(new Error('a bug')) })
    await ledger.store.cancel(await submitted(3))
    const { id } = await broken.createBulkAction({ action: 'retry', scope: {}, start: true, filter: '{}' })
    const action = await here.readBulkAction(id)
    assert.deepEqual(
      [action.status, action.error, broken.told.errors],
      ['failed', 'an internal error; the log has it', 1],
    )
    assert.equal(await lots(), 0)
    const away = processWith({ settle: () => Promise.reject(new StoreUnavailableError(new Error('gone'))) })
    const waiting = await away.createBulkAction({ action: 'retry', scope: {}, start: true, filter: '{}' })
    assert.equal(waiting.status, 'running')
  })

  await t.test('are listed, newest first, and forgotten in time', async () => {
    const ids = []
    for (let i = 0; i < 3; i++) ids.unshift((await ask('retry')).id)
    const first = await here.listBulkActions({ limit: 2 })
    const second = await here.listBulkActions({ limit: 2, before: first.next! })
    assert.deepEqual(
      [...first.actions, ...second.actions].map(({ id }) => id),
      ids,
    )
    assert.equal(second.next, null)
    await assert.rejects(here.readBulkAction(newId()), { code: 'bulk-action-not-found' })
    await here.abortBulkAction(ids[0]!)
    await ledger.rows(`update bulk_actions set finished_at = now() - interval '31 days' where id = $1`, [
      ids[0],
    ])
    await ledger.rows(`update bulk_actions set created_at = now() - interval '2 days' where id = $1`, [
      ids[1],
    ])
    await here.forget()
    const left = (await here.listBulkActions({ limit: 9 })).actions
    assert.deepEqual(
      left.map(({ id, status }) => [id, status]),
      [
        [ids[1], 'aborted'],
        [ids[2], 'ready'],
      ],
    )
  })
})

/** A database whose process dies after so many statements, in the middle of a transaction too. */
function mortal(database: Database, statements: number): Database {
  let left = statements
  const counted = <T>(work: () => Promise<T>): Promise<T> =>
    --left < 0 ? Promise.reject(new StoreUnavailableError(new Error('killed'))) : work()
  return {
    ...database,
    run: (statement, values) => counted(() => database.run(statement, values)),
    transaction: (work) =>
      database.transaction((run) => work((statement, values) => counted(() => run(statement, values)))),
  }
}
