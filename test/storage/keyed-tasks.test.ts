import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack } from '../../src/domain/packet.ts'
import type { Load } from '../../src/domain/ports.ts'
import type { NewTask } from '../../src/domain/submission.ts'
import { aTask, aWorker, ledgerUnderTest } from '../support/ledger.ts'

function loadOf(fresh: readonly NewTask[]): Load {
  const { tasks, packets } = pack(fresh, () => ({ workers: 1, smallestConcurrency: 1000 }))
  return { now: tasks, packets, later: [], batches: [] }
}

const oneByOne = { allOrNothing: false, loadOf }
const together = { allOrNothing: true, loadOf }

test('submitting with idempotency keys', async (t) => {
  const ledger = await ledgerUnderTest(t, { connections: 20 })
  const { submitKeyed } = ledger.store
  const count = async (table: string) => (await ledger.rows<[number]>(`select count(*) from ${table}`))[0]![0]

  await t.test('answers the first task for the same key with the same body', async () => {
    const [first, second] = [aTask({ idempotencyKey: 'a' }), aTask({ idempotencyKey: 'a' })]
    await submitKeyed([first], oneByOne)

    const { keyed, packets } = await submitKeyed([second], oneByOne)

    assert.deepEqual(keyed, [{ id: first.id, fresh: false, sameBody: true }])
    assert.deepEqual(packets, [])
    assert.equal(await count('tasks'), 1)
    await ledger.assertSound()
  })

  for (const [what, other] of [
    ['payload', { payload: '{"n":1}' }],
    ['type', { type: 'other' }],
    ['queue', { queue: 'other' }],
    ['priority', { priority: 'high' }],
    ['maxAttempts', { maxAttempts: 3 }],
    ['timeoutMs', { timeoutMs: 1 }],
    ['delay', { due: { afterMs: 5 } }],
  ] as const) {
    await t.test(`tells a body with another ${what} apart`, async () => {
      await submitKeyed([aTask({ idempotencyKey: 'a' })], oneByOne)

      const { keyed } = await submitKeyed([aTask({ idempotencyKey: 'a', ...other })], oneByOne)

      assert.equal(keyed[0]?.sameBody, false)
      assert.equal(await count('tasks'), 1)
    })
  }

  await t.test('tells two delays apart, and two instants', async () => {
    for (const [key, due, otherDue] of [
      ['delays', { afterMs: 60_000 }, { afterMs: 61_000 }],
      ['instants', { at: '2031-01-01T00:00:00Z' }, { at: '2032-01-01T00:00:00Z' }],
    ] as const) {
      const later = (fresh: readonly NewTask[]) => ({ now: [], packets: [], later: fresh, batches: [] })
      const options = { allOrNothing: false, loadOf: later }
      await submitKeyed([aTask({ idempotencyKey: key, due })], options)

      const same = await submitKeyed([aTask({ idempotencyKey: key, due })], options)
      const other = await submitKeyed([aTask({ idempotencyKey: key, due: otherDue })], options)

      assert.equal(same.keyed[0]?.sameBody, true)
      assert.equal(other.keyed[0]?.sameBody, false)
    }
  })

  await t.test('stores one task for a key that 20 callers use at once', async () => {
    const calls = Array.from({ length: 20 }, () => submitKeyed([aTask({ idempotencyKey: 'same' })], oneByOne))

    const answers = (await Promise.all(calls)).map((stored) => stored.keyed[0]!)

    assert.equal(answers.filter((answer) => answer.fresh).length, 1)
    assert.equal(new Set(answers.map((answer) => answer.id)).size, 1)
    assert.equal(await count('tasks'), 1)
    await ledger.assertSound()
  })

  await t.test('stores each key once when callers bring many keys in different orders', async () => {
    const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`)
    const rounds = Array.from({ length: 12 }, (_, i) => {
      const order = i % 2 ? keys : keys.toReversed()
      return submitKeyed(
        order.map((idempotencyKey) => aTask({ idempotencyKey })),
        oneByOne,
      )
    })

    const answers = (await Promise.all(rounds)).flatMap((stored) => stored.keyed)

    assert.equal(answers.filter((answer) => answer.fresh).length, 30)
    assert.equal(await count('tasks'), 30)
    await ledger.assertSound()
  })

  await t.test('stores a key once that is twice in one statement', async () => {
    const [a, b, c] = [
      aTask({ idempotencyKey: 'x' }),
      aTask({ idempotencyKey: 'x' }),
      aTask({ idempotencyKey: 'x', payload: '2' }),
    ]

    const { keyed } = await submitKeyed([a, b], oneByOne)
    const { keyed: third } = await submitKeyed([c], oneByOne)

    assert.deepEqual(
      keyed.map(({ id }) => id),
      [keyed[0]!.id, keyed[0]!.id],
    )
    assert.equal(keyed.filter(({ fresh }) => fresh).length, 1)
    assert.equal(third[0]?.sameBody, false)
    assert.equal(await count('tasks'), 1)
    await ledger.assertSound()
  })

  await t.test('may be repeated after a lost answer, whatever became of the task', async () => {
    const task = aTask({ idempotencyKey: 'a' })
    await submitKeyed([task], oneByOne)
    await ledger.claim(aWorker())

    const { keyed, packets } = await submitKeyed([task], oneByOne)

    assert.deepEqual(keyed, [{ id: task.id, fresh: true, sameBody: true }])
    assert.deepEqual(packets, [])
    assert.equal(await ledger.statusOf(task.id), 'processing')
    await ledger.assertSound()
  })

  await t.test('stores nothing of a batch in which one key had another body', async () => {
    await submitKeyed([aTask({ idempotencyKey: 'used' })], together)
    const batch = [
      aTask({ idempotencyKey: 'new' }),
      aTask(),
      aTask({ idempotencyKey: 'used', payload: '"other"' }),
    ]

    const { keyed } = await submitKeyed(batch, together)

    assert.deepEqual(
      keyed.map(({ sameBody }) => sameBody),
      [true, true, false],
    )
    assert.deepEqual(
      [await count('tasks'), await count('idempotency_keys'), await count('packets')],
      [1, 1, 1],
    )
    await ledger.assertSound()
  })

  await t.test('leaves out of a batch what its keys have already', async () => {
    const first = aTask({ idempotencyKey: 'used' })
    await submitKeyed([first], together)
    const batch = [aTask({ idempotencyKey: 'used' }), aTask({ idempotencyKey: 'new' }), aTask()]

    const { keyed } = await submitKeyed(batch, together)

    assert.deepEqual(
      keyed.map(({ id }) => id),
      [first.id, batch[1]!.id, batch[2]!.id],
    )
    assert.equal(await count('tasks'), 3)
    await ledger.assertSound()
  })

  await t.test('takes no key of tasks that were refused', async () => {
    const task = aTask({ idempotencyKey: 'a', payload: '{' })

    await assert.rejects(submitKeyed([task], oneByOne), { name: 'StoreRefusedError' })

    assert.equal(await count('idempotency_keys'), 0)
  })
})
