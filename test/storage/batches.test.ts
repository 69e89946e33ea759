import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ended, sequelTask } from '../../src/domain/batch.ts'
import { pack } from '../../src/domain/packet.ts'
import type { Load } from '../../src/domain/ports.ts'
import type { NewBatch, NewTask } from '../../src/domain/submission.ts'
import { batchUpkeep } from '../../src/storage/batch-upkeep.ts'
import { batchLedger } from '../../src/storage/batches.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { retire } from '../../src/storage/retention.ts'
import {
  aTask,
  aWorker,
  completed,
  failed,
  handedBack,
  type LedgerUnderTest,
  ledgerUnderTest,
  newId,
  retried,
} from '../support/ledger.ts'
import { until } from '../support/until.ts'

const lowestId = '00000000-0000-0000-0000-000000000000'
const none = { scheduled: 0, pending: 0, processing: 0, completed: 0, failed: 0, canceled: 0 }
const sequel = {
  type: 'report',
  queue: 'default',
  priority: 'normal',
  due: 'now',
  payload: '{"a": 1.0}',
  key: 'a',
  callbackUrl: 'http://a.b',
} as const

function loadOf(tasks: readonly NewTask[]): Load {
  const { tasks: now, packets } = pack(tasks, () => ({ workers: 1, smallestConcurrency: 1600 }))
  return { now, packets, later: [], batches: [] }
}

function sequelLoad(ended: readonly Ended[]) {
  const tasks = ended.map((one) => sequelTask(one, newId()))
  return { load: loadOf(tasks), ids: tasks.map(({ id }) => id) }
}

/** A batch of tasks, stored. */
async function aBatch(ledger: LedgerUnderTest, size: number, wish: Partial<NewTask & NewBatch> = {}) {
  const { sequel, ...task } = wish
  const batchId = newId()
  const tasks = Array.from({ length: size }, () => aTask({ ...task, batchId }))
  const range = { total: size, firstId: tasks[0]!.id, lastId: tasks.at(-1)!.id }
  await ledger.submit(tasks, { batches: [{ id: batchId, ...range, ...(sequel ? { sequel } : {}) }] })
  return { batchId, tasks }
}

async function runAll(ledger: LedgerUnderTest, end: typeof completed | typeof failed = completed) {
  const worker = aWorker()
  for (;;) {
    const { tasks, packets } = await ledger.claim(worker)
    if (tasks.length === 0) return
    await ledger.ledger.finish(
      worker.id,
      tasks.map((task) => end(task)),
      packets.map(({ id }) => id),
    )
  }
}

test('batches', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const batches = batchLedger(ledger)
  const care = batchUpkeep({ moves: ledger.moves, chores: ledger.looks })
  const settle = (id: string) => care.settle([id], sequelLoad)
  const countsOf = async (id: string) => (await batches.read(id))?.counts
  const sequels = () => ledger.rows<[string, string]>(`select id, payload from tasks where type = 'report'`)

  await t.test('know how far they are, through every move of their tasks', async () => {
    const { batchId, tasks } = await aBatch(ledger, 6)
    const later = aTask({ batchId, due: { afterMs: 0 } })
    await ledger.submit([later, aTask()])
    assert.deepEqual(await countsOf(batchId), { ...none, pending: 6, scheduled: 1 })

    await ledger.upkeep.promote(10, 10)
    const worker = aWorker()
    const claim = await ledger.claim(worker)
    assert.deepEqual(await countsOf(batchId), { ...none, processing: 7 })

    const own = claim.tasks.filter(({ id }) => tasks.some((task) => task.id === id))
    const [done, bad, again, back, stopped] = own
    await ledger.ledger.finish(
      worker.id,
      [completed(done!), failed(bad!), retried(again!, 60_000), handedBack(back!)],
      [],
    )
    await ledger.store.cancel([stopped!.id])
    assert.deepEqual(await countsOf(batchId), {
      ...{ pending: 1, scheduled: 1, processing: 2 },
      ...{ completed: 1, failed: 1, canceled: 1 },
    })

    await ledger.store.retry([bad!.id, stopped!.id])
    await ledger.ledger.giveBack(worker.id, await ledger.ledger.held(worker.id))
    assert.deepEqual(await countsOf(batchId), { ...none, pending: 5, scheduled: 1, completed: 1 })
    await ledger.assertNothingLost()
  })

  await t.test('count nothing twice when the statement that stores them is repeated', async () => {
    const batchId = newId()
    const tasks = [aTask({ batchId }), aTask({ batchId, due: { afterMs: 1_000 } })]
    const batch = { id: batchId, total: 2, firstId: tasks[0]!.id, lastId: tasks[1]!.id, sequel }

    for (let times = 0; times < 2; times++) await ledger.submit(tasks, { batches: [batch] })

    assert.deepEqual(await countsOf(batchId), { ...none, pending: 1, scheduled: 1 })
    await ledger.assertSound()
  })

  await t.test('are finished when the last task is final, and not before', async () => {
    const { batchId } = await aBatch(ledger, 3)
    const worker = aWorker()
    const { tasks } = await ledger.claim(worker)
    await ledger.ledger.finish(worker.id, [completed(tasks[0]!), failed(tasks[1]!)], [])
    assert.deepEqual(await settle(batchId), { finished: [], packets: [] })
    assert.equal((await batches.read(batchId))?.finishedAt, null)

    await ledger.store.cancel([tasks[2]!.id])
    const settled = await settle(batchId)

    assert.deepEqual(settled, { finished: [batchId], packets: [] })
    const batch = await batches.read(batchId)
    assert.ok(batch?.finishedAt)
    assert.equal(batch.total, 3)
    assert.deepEqual(batch.counts, { ...none, completed: 1, failed: 1, canceled: 1 })
    assert.deepEqual(await batches.finished([batchId, newId()]).then((ids) => ids.length), 2)
  })

  await t.test('submit what comes then once, with the counts, whoever looks and however often', async () => {
    const { batchId } = await aBatch(ledger, 3, { sequel })
    await runAll(ledger)
    const others = Array.from({ length: 4 }, () =>
      openDatabase(ledger.url, { connections: 2, statementTimeoutMs: 20_000, plans: 'moves' }),
    )
    t.after(() => Promise.all(others.map((other) => other.close())))

    const looks = others.map((moves) => batchUpkeep({ moves, chores: moves }).settle([batchId], sequelLoad))
    const packets = (await Promise.all(looks)).flatMap((settled) => settled.packets)

    assert.equal(packets.length, 1)
    const [[id, payload]] = (await sequels()) as [[string, string]]
    const counts = JSON.stringify({ ...none, completed: 3 })
    assert.equal(payload, `{"batchId":"${batchId}","total":3,"counts":${counts},"payload":{"a": 1.0}}`)
    assert.equal((await batches.read(batchId))?.thenId, id)
    const task = await ledger.reader.get(id)
    assert.deepEqual([task?.batchId, task?.key], [null, 'a'])
    assert.deepEqual(await ledger.rows('select task_id, url from callbacks'), [[id, 'http://a.b']])
    await ledger.assertSound()
  })

  await t.test('leave nothing done when what comes then cannot be stored', async () => {
    const { batchId } = await aBatch(ledger, 1, { sequel })
    await runAll(ledger)
    await assert.rejects(
      care.settle([batchId], () => {
        throw new Error('the process dies')
      }),
    )
    assert.equal((await batches.read(batchId))?.finishedAt, null)

    await settle(batchId)

    assert.equal((await sequels()).length, 1)
  })

  await t.test('are open again after a retry, and submit nothing a second time', async () => {
    const { batchId } = await aBatch(ledger, 2_500, { sequel })
    await runAll(ledger, failed)
    await settle(batchId)
    const first = await sequels()
    await ledger.store.cancel(first.map(([id]) => id))

    let retriedTasks = 0
    for (let after: string | null = lowestId; after !== null; ) {
      const step = await batches.retrySome(batchId, after)
      retriedTasks += step.retried
      after = step.next
    }
    assert.equal(retriedTasks, 2_500)
    assert.equal((await batches.read(batchId))?.finishedAt, null)
    await settle(batchId)
    assert.equal((await batches.read(batchId))?.finishedAt, null)
    await runAll(ledger)
    await settle(batchId)

    assert.ok((await batches.read(batchId))?.finishedAt)
    assert.deepEqual(await countsOf(batchId), { ...none, completed: 2_500 })
    assert.deepEqual(await sequels(), first)
    await ledger.assertSound()
  })

  await t.test('are canceled step by step, and nothing else is', async () => {
    const { batchId } = await aBatch(ledger, 2_200)
    const others = [aTask(), aTask()]
    await ledger.submit(others)
    const { tasks } = await ledger.claim(aWorker(), 100)

    const told: string[] = []
    let canceled = 0
    for (let after: string | null = lowestId; after !== null; ) {
      const step = await batches.cancelSome(batchId, after)
      told.push(...step.interrupted.map(({ id, attempt }) => `${id} ${attempt}`))
      canceled += step.canceled
      after = step.next
    }

    assert.equal(canceled, 2_200)
    assert.deepEqual(told.sort(), tasks.map(({ id }) => `${id} 1`).sort())
    assert.deepEqual(await countsOf(batchId), { ...none, canceled: 2_200 })
    assert.equal(await ledger.statusOf(others[0]!.id), 'pending')
    assert.equal((await batches.cancelSome(batchId, lowestId)).canceled, 0)
    await ledger.assertSound()
  })

  await t.test('are put right when their counters are wrong, also while tasks move', async () => {
    const { batchId } = await aBatch(ledger, 50)
    await ledger.rows(`update batch_counters set n = n + 7`)
    await ledger.rows(`insert into batch_counters values ($1, 0, 'failed', 3)`, [batchId])
    assert.equal(await care.recountOne(60_000), false, 'none is due')

    const [due] = await Promise.all([care.recountOne(0), runAll(ledger)])

    assert.equal(due, true)
    assert.deepEqual(await countsOf(batchId), { ...none, completed: 50 })
    await ledger.assertSound()
  })

  await t.test('that another version has stored are counted at the first look', async () => {
    const batchId = newId()
    const tasks = [aTask({ batchId }), aTask({ batchId })]
    await ledger.submit(tasks)
    await ledger.rows('delete from batch_counters')
    const values = [batchId, tasks[0]!.id, tasks[1]!.id]
    await ledger.rows('insert into batches (id, total, first_id, last_id) values ($1, 2, $2, $3)', values)
    assert.deepEqual(await settle(batchId), { finished: [], packets: [] }, 'not taken for empty')

    assert.deepEqual(await countsOf(batchId), { ...none, pending: 2 })
    await ledger.assertSound()
  })

  await t.test(
    'to which tasks are added are not finished, and are closed when the import has died',
    async () => {
      const id = newId()
      await batches.open({
        id,
        total: 0,
        firstId: id,
        lastId: 'ffffffff-ffff-ffff-ffff-fffffffffffe',
        importing: true,
      })
      await ledger.submit([aTask({ batchId: id })])
      const include = { payload: false, result: false }
      assert.equal((await ledger.reader.list({ batchId: id, limit: 10, include })).tasks.length, 1)
      await runAll(ledger)
      assert.deepEqual(await settle(id), { finished: [], packets: [] })
      assert.equal(await care.closeSilent(60_000), 0)

      assert.equal(await care.closeSilent(0), 1)
      await settle(id)
      assert.ok((await batches.read(id))?.finishedAt)

      await batches.touch(id) // it lives after all
      assert.equal((await batches.read(id))?.importing, true)
      await ledger.submit([aTask({ batchId: id })])
      await batches.close(id, newId())
      await runAll(ledger)
      await settle(id)
      const batch = await batches.read(id)
      assert.deepEqual([batch?.total, batch?.importing], [2, false])
      assert.ok(batch?.finishedAt)
    },
  )

  await t.test(
    'keep one row for each status once they are finished, and for connections that are gone',
    async () => {
      const { batchId } = await aBatch(ledger, 10)
      const gone = openDatabase(ledger.url, { connections: 1, statementTimeoutMs: 20_000, plans: 'moves' })
      await batchLedger({ moves: gone, looks: gone }).cancelSome(batchId, lowestId)
      await gone.close()
      const slots = () => ledger.rows(`select slot, status, n from batch_counters where n <> 0 order by 1, 2`)
      const folded = async () => {
        await care.foldCounters() // the server takes a moment to let a connection go
        return (await slots()).filter(([slot]) => slot === 0).length === 2
      }
      await until(folded, { what: 'the counters of a connection that is gone are folded' })

      await settle(batchId)

      assert.deepEqual(await slots(), [[0, 'canceled', 10]])
      await ledger.assertSound()
    },
  )

  await t.test('are listed while they are not finished', async () => {
    const { batchId: first } = await aBatch(ledger, 1)
    const { batchId: second } = await aBatch(ledger, 1)
    assert.deepEqual(await care.unfinished(lowestId, 1), [first])
    assert.deepEqual(await care.unfinished(first, 10), [second])
    await runAll(ledger)
    await settle(first)
    assert.deepEqual(await care.unfinished(lowestId, 10), [second])
  })

  await t.test('are forgotten when they have been finished for as long as tasks are kept', async () => {
    const { batchId } = await aBatch(ledger, 1, { sequel })
    const { batchId: young } = await aBatch(ledger, 1)
    await runAll(ledger)
    await care.settle([batchId, young], sequelLoad)
    await ledger.rows(`update batches set finished_at = now() - interval '31 days' where id = $1`, [batchId])

    await retire(ledger.looks, 30)

    assert.equal(await batches.read(batchId), undefined)
    assert.ok(await batches.read(young))
    const [left] = await ledger.rows(
      'select (select count(*) from batch_counters), (select count(*) from batch_sequels)',
    )
    assert.deepEqual(left, [1, 0])
  })
})

test('batches are listed newest first, each as it is when it is read alone', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const batches = batchLedger(ledger)
  const made = []
  for (const size of [1, 2, 3]) made.push((await aBatch(ledger, size)).batchId)
  await runAll(ledger)
  made.reverse()

  const first = await batches.page({ limit: 2 })
  assert.deepEqual(
    first.batches.map(({ id, total }) => [id, total]),
    [
      [made[0], 3],
      [made[1], 2],
    ],
  )
  assert.deepEqual(first.batches[0], await batches.read(made[0]!))
  const second = await batches.page({ limit: 2, before: first.next! })
  assert.deepEqual([second.batches.map(({ id }) => id), second.next], [[made[2]], null])
})
