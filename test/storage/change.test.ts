import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Status, Task, TaskDetail } from '../../src/domain/task.ts'
import {
  aTask,
  aWorker,
  completed,
  failed,
  handedBack,
  ledgerUnderTest,
  newId,
  retried,
  someTasks,
} from '../support/ledger.ts'

const withoutAttempts = ({ attempts: _, progress: __, ...task }: TaskDetail): Task => task

test('canceling and retrying', async (t) => {
  const ledger = await ledgerUnderTest(t, { connections: 16 })
  const { cancel, retry } = ledger.store
  const worker = aWorker()

  /** A task in each status. */
  async function taskIn(status: Status): Promise<string> {
    if (status === 'scheduled' || status === 'pending') {
      const task = aTask(status === 'scheduled' ? { due: { afterMs: 60_000 } } : {})
      await ledger.submit([task])
      return task.id
    }
    const task = await ledger.started(worker)
    const ends = { processing: [], completed: [completed(task)], failed: [failed(task)], canceled: [] }
    await ledger.ledger.finish(worker.id, ends[status], status === 'processing' ? [] : [task.packet])
    if (status === 'canceled') await cancel([task.id])
    return task.id
  }

  for (const status of ['scheduled', 'pending', 'processing'] as const) {
    await t.test(`cancels a task that is ${status}`, async () => {
      const id = await taskIn(status)

      const [change] = await cancel([id])

      const read = await ledger.reader.get(id)
      assert.deepEqual(change, { task: withoutAttempts(read!), from: status, changed: true })
      assert.equal(read?.status, 'canceled')
      assert.ok(read?.finishedAt)
      await ledger.assertSound()
    })
  }

  for (const status of ['completed', 'failed', 'canceled'] as const) {
    await t.test(`does not cancel a task that is ${status}`, async () => {
      const id = await taskIn(status)
      const before = await ledger.reader.get(id)

      assert.deepEqual(await cancel([id]), [{ task: withoutAttempts(before!), from: status, changed: false }])

      assert.deepEqual(await ledger.reader.get(id), before)
      await ledger.assertSound()
    })
  }

  await t.test('cancels many at once, and says nothing of those that there are not', async () => {
    const ids = [await taskIn('pending'), newId(), await taskIn('completed'), await taskIn('scheduled')]

    const changes = await cancel(ids)

    const changed = new Map(changes.map((change) => [change.task.id, change.changed]))
    assert.deepEqual(
      changed,
      new Map([
        [ids[0], true],
        [ids[2], false],
        [ids[3], true],
      ]),
    )
    await ledger.assertSound()
  })

  for (const status of ['failed', 'canceled'] as const) {
    await t.test(`makes a task that is ${status} pending again, as if it were new`, async () => {
      const id = await taskIn(status)

      const { changes, packets } = await retry([id])

      const read = await ledger.reader.get(id)
      assert.deepEqual(changes, [{ task: withoutAttempts(read!), from: status, changed: true }])
      assert.equal(packets.length, 1)
      const { result, error, startedAt, finishedAt, workerId } = read!
      assert.deepEqual(
        [read?.status, result, error, startedAt, finishedAt, workerId],
        ['pending', ...Array(5).fill(null)],
      )
      await ledger.assertSound()
    })
  }

  for (const status of ['scheduled', 'pending', 'processing', 'completed'] as const) {
    await t.test(`does not retry a task that is ${status}`, async () => {
      const id = await taskIn(status)
      const before = await ledger.reader.get(id)

      assert.deepEqual(await retry([id]), {
        changes: [{ task: withoutAttempts(before!), from: status, changed: false }],
        packets: [],
      })

      assert.deepEqual(await ledger.reader.get(id), before)
      await ledger.assertSound()
    })
  }

  await t.test(
    'gives a retried task all its attempts again, and never the number of an old one',
    async () => {
      const first = await ledger.started(worker, { maxAttempts: 2 })
      await ledger.ledger.finish(worker.id, [handedBack(first, true)], [first.packet])
      const [second] = (await ledger.claim(worker)).tasks
      await ledger.ledger.finish(worker.id, [failed(second!)], [second!.packet])
      await retry([first.id])

      const [third] = (await ledger.claim(worker)).tasks

      assert.deepEqual([third?.attempt, third?.failures, third?.crashes], [3, 0, 0])
    },
  )

  await t.test('keeps an outcome of the attempt before a cancellation and retry away', async () => {
    const task = await ledger.started(worker)
    await cancel([task.id])
    await retry([task.id])
    await ledger.claim(aWorker())

    await ledger.ledger.finish(worker.id, [completed(task)], [task.packet])

    assert.equal(await ledger.statusOf(task.id), 'processing')
    await ledger.assertSound()
  })

  await t.test('survives everybody at once: cancel, retry, claim, finish, sweep, promote', async () => {
    const tasks = someTasks(300)
    await ledger.submit(tasks, { packetSize: 7 })
    const ids = tasks.map(({ id }) => id)
    const some = (n: number) => Array.from({ length: n }, () => ids[Math.floor(Math.random() * ids.length)]!)
    const untilMs = performance.now() + 3_000
    const keepOn = async (act: () => Promise<unknown>) => {
      while (performance.now() < untilMs) await act()
    }
    const outcomes = [completed, failed, retried, handedBack]
    const work = async () => {
      const me = aWorker()
      const claim = await ledger.claim(me, 100)
      await ledger.ledger.giveBack(
        me.id,
        claim.packets.slice(0, 1).map(({ id }) => id),
      )
      const ends = claim.tasks.map((task) => outcomes[Math.floor(Math.random() * 4)]!(task))
      await ledger.ledger.finish(
        me.id,
        ends,
        claim.packets.slice(1).map(({ id }) => id),
      )
    }

    await Promise.all([
      ...Array.from({ length: 6 }, () => keepOn(work)),
      ...Array.from({ length: 4 }, () => keepOn(() => cancel(some(60)))),
      ...Array.from({ length: 4 }, () => keepOn(() => retry(some(60)))),
      ...Array.from({ length: 2 }, () => keepOn(() => ledger.upkeep.promote(100, 10))),
    ])

    await ledger.assertNothingLost()
  })
})
