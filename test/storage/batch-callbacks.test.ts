import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchCallbackStore } from '../../src/storage/batch-callbacks.ts'
import { batchUpkeep } from '../../src/storage/batch-upkeep.ts'
import { batchLedger } from '../../src/storage/batches.ts'
import { retire } from '../../src/storage/retention.ts'
import { callingBackBatches } from '../../src/usecases/call-back.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { aTask, type LedgerUnderTest, ledgerUnderTest, newId } from '../support/ledger.ts'

const callback = { url: 'http://example.com/', queue: 'far' }

async function aBatch(ledger: LedgerUnderTest, { size = 2, isTold = true } = {}) {
  const batchId = newId()
  const tasks = Array.from({ length: size }, () => aTask({ batchId }))
  const range = { total: size, firstId: tasks[0]?.id ?? batchId, lastId: tasks.at(-1)?.id ?? batchId }
  await ledger.submit(tasks, { batches: [{ id: batchId, ...range, ...(isTold ? { callback } : {}) }] })
  return { batchId, ids: tasks.map(({ id }) => id) }
}

test('callbacks of batches', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const batches = batchLedger(ledger)
  const care = batchUpkeep({ moves: ledger.moves, chores: ledger.looks })
  const deps = { callbacks: batchCallbackStore(ledger.moves), newId, announce: () => {} }
  const finish = (id: string) => care.settle([id], () => assert.fail('nothing comes then'))
  const deliveries = (about: string) =>
    ledger.rows<[queue: string, priority: number, url: string, body: string]>(
      `select queue, priority, payload->>'url', payload->>'body' from tasks
        where type = 'millrace.webhook' and payload->>'about' = '${about}'`,
    )
  const waiting = () => ledger.rows(`select from batch_callbacks where told_at is null`)

  await t.test('cost batches without one no row', async () => {
    await aBatch(ledger, { isTold: false })
    assert.deepEqual(await waiting(), [])
  })

  await t.test('are delivered when the batch is finished, and not before, with its counts', async () => {
    const { batchId, ids } = await aBatch(ledger)
    const round = callingBackBatches(deps)
    await ledger.store.cancel([ids[0]!])
    await finish(batchId)
    await round()
    assert.deepEqual(await deliveries(batchId), [])
    await ledger.store.cancel([ids[1]!])
    await finish(batchId)

    await round()

    const [made, ...others] = await deliveries(batchId)
    assert.deepEqual(others, [])
    assert.deepEqual(made?.slice(0, 3), ['far', 2, callback.url])
    const told = JSON.parse(made![3])
    assert.equal(told.counts.canceled, 2)
    assert.deepEqual(told, await batches.read(batchId))
    await assertCountsExact(ledger.url)
  })

  await t.test('are made once, whoever looks at the same time and whatever is retried', async () => {
    const { batchId, ids } = await aBatch(ledger)
    await ledger.store.cancel(ids)
    await finish(batchId)
    await Promise.all(Array.from({ length: 6 }, () => callingBackBatches(deps)()))
    assert.equal((await deliveries(batchId)).length, 1)

    await ledger.store.retry(ids)
    await ledger.store.cancel(ids)
    await finish(batchId)
    await callingBackBatches(deps)()

    assert.equal((await deliveries(batchId)).length, 1)
  })

  await t.test('wait while a batch that was finished has been opened again', async () => {
    const { batchId, ids } = await aBatch(ledger)
    await ledger.store.cancel(ids)
    await finish(batchId)
    await ledger.store.retry([ids[0]!])
    await callingBackBatches(deps)()
    assert.deepEqual(await deliveries(batchId), [])

    await ledger.store.cancel([ids[0]!])
    await finish(batchId)
    await callingBackBatches(deps)()

    assert.equal((await deliveries(batchId)).length, 1)
  })

  await t.test('are found in chunks', async () => {
    const made = []
    for (let i = 0; i < 3; i++) made.push(await aBatch(ledger, { size: 0 }))
    for (const { batchId } of made) await finish(batchId)
    const first = await deps.callbacks.ended(null, 2)
    const second = await deps.callbacks.ended(first.next, 2)
    assert.deepEqual(
      [...first.ids, ...second.ids],
      made.map(({ batchId }) => batchId),
    )
    assert.equal(second.next, null)
  })

  await t.test('are forgotten with their batches', async () => {
    const { batchId } = await aBatch(ledger, { size: 0 })
    await finish(batchId)
    assert.equal((await waiting()).length, 1)
    await ledger.rows(`update batches set finished_at = now() - interval '40 days'`)
    await retire(ledger.looks, 30)
    assert.deepEqual(await ledger.rows('select from batch_callbacks'), [])
  })
})
