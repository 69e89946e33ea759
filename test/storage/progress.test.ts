import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressStore } from '../../src/storage/progress.ts'
import { aWorker, completed, handedBack, ledgerUnderTest } from '../support/ledger.ts'

const said = (task: { id: string; attempt: number }, done: number) => ({
  id: task.id,
  attempt: task.attempt,
  done,
  total: 10,
  message: `row ${done}`,
})

test('progress', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { report } = progressStore(ledger.moves)
  const progressOf = async (id: string) => (await ledger.reader.get(id))?.progress

  await t.test('is the latest that the attempt said, with a number that grows', async () => {
    const [one, other] = [await ledger.started(aWorker()), await ledger.started(aWorker())]
    assert.equal(await progressOf(one.id), null)

    await report([said(one, 1), said(other, 5)])
    await report([said(one, 2)])

    const { at, ...progress } = (await progressOf(one.id))!
    assert.deepEqual(progress, { done: 2, total: 10, message: 'row 2', version: 2 })
    assert.match(at, /^\d{4}-.*Z$/)
    assert.equal((await progressOf(other.id))?.done, 5)
  })

  await t.test('of an attempt that is over is neither stored nor shown', async () => {
    const worker = aWorker()
    const first = await ledger.started(worker)
    await report([said(first, 7)])
    await ledger.ledger.finish(worker.id, [handedBack(first)], [first.packet])
    const { tasks } = await ledger.claim(worker)
    assert.equal(await progressOf(first.id), null)

    await report([said(first, 8)])
    assert.equal(await progressOf(first.id), null)
    assert.deepEqual(await ledger.rows('select done from progress'), [[7]])

    await report([said(tasks[0]!, 1)])
    await report([said(first, 9)])
    assert.equal((await progressOf(first.id))?.done, 1)
  })

  await t.test('is still stored when the outcome of its attempt was faster', async () => {
    const worker = aWorker()
    const task = await ledger.started(worker)
    await ledger.ledger.finish(worker.id, [completed(task)], [task.packet])

    await report([said(task, 10)])

    assert.equal((await progressOf(task.id))?.done, 10)
  })

  await t.test('of a task that is gone leaves nothing behind', async () => {
    const task = await ledger.started(aWorker())
    await ledger.rows('delete from tasks')

    await report([said(task, 1)])

    assert.deepEqual(await ledger.rows('select * from progress'), [])
  })

  await t.test('is seen as a change of the task, like its status and its attempt', async () => {
    const task = await ledger.started(aWorker())
    const seen = { id: task.id, status: 'processing' as const, attempt: 1, progress: 0 }
    assert.deepEqual(await ledger.reader.changed([seen]), [])

    await report([said(task, 1)])

    assert.deepEqual(await ledger.reader.changed([seen]), [{ ...seen, progress: 1 }])
    assert.deepEqual(await ledger.reader.changed([{ ...seen, status: 'pending', attempt: 0 }]), [
      { ...seen, progress: 1 },
    ])
  })
})
