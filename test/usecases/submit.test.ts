import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreRefusedError, StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import type { PacketRef } from '../../src/domain/packet.ts'
import type { KeyedStored, Load } from '../../src/domain/ports.ts'
import type { Submission } from '../../src/domain/submission.ts'
import type { Task } from '../../src/domain/task.ts'
import { type SubmitDeps, submitting } from '../../src/usecases/submit.ts'
import { gatherOn } from '../support/doubles.ts'
import { newId } from '../support/ledger.ts'

const at = '2030-01-01T00:00:00.000Z'
const aSubmission = (wish: Partial<Submission> = {}): Submission => ({
  ...{ payload: '1', type: 'plain', queue: 'default', priority: 'normal', due: 'now' },
  ...wish,
})
const refOf = (id: number): PacketRef => ({ id, queue: 'default', priority: 'normal' })

/** A store that refuses payloads that are no JSON, and what it was asked to store. */
function underTest(wish: Partial<SubmitDeps> = {}) {
  const loads: Load[] = []
  const announced: PacketRef[] = []
  const submit = async (load: Load) => {
    const bad = [...load.now, ...load.later].find((task) => task.payload === '{')
    if (bad) throw new StoreRefusedError(new Error('invalid input syntax for type json'))
    loads.push(load)
    return { at, packets: load.packets.map((_, i) => refOf(loads.length * 100 + i)) }
  }
  const deps: SubmitDeps = {
    store: { submit, submitKeyed: async () => assert.fail('no keys here') },
    reader: { getMany: async () => [] },
    newId,
    capacityOf: () => ({ workers: 2, smallestConcurrency: 160 }),
    announce: (packets) => announced.push(...packets),
    gather: gatherOn(1),
    ...wish,
  }
  return { ...submitting(deps), loads, announced }
}

describe('submitting a task', () => {
  it('answers the task as it was stored', async () => {
    const { submitTask } = underTest()

    const { task, replayed } = await submitTask(aSubmission({ payload: '1e400', maxAttempts: 7 }))

    assert.equal(replayed, false)
    const { status, payload, maxAttempts, createdAt, runAt, attempt } = task
    assert.deepEqual(
      [status, payload, maxAttempts, createdAt, runAt, attempt],
      ['pending', '1e400', 7, at, at, 0],
    )
  })

  it('answers when a task that is due later will run, by the clock of the database', async () => {
    const { submitTask, loads } = underTest()

    const delayed = await submitTask(aSubmission({ due: { afterMs: 1500 } }))
    const dated = await submitTask(aSubmission({ due: { at: '2031-01-01T01:00:00+01:00' } }))

    assert.deepEqual([delayed.task.status, delayed.task.runAt], ['scheduled', '2030-01-01T00:00:01.500Z'])
    assert.equal(dated.task.runAt, '2031-01-01T00:00:00.000Z')
    assert.deepEqual(
      loads.map(({ now, later }) => [now.length, later.length]),
      [
        [0, 1],
        [0, 1],
      ],
    )
  })

  it('stores tasks that come at the same time in one statement', async () => {
    const { submitTask, loads } = underTest()

    await Promise.all(Array.from({ length: 50 }, () => submitTask(aSubmission())))

    assert.deepEqual(
      loads.map(({ now }) => now.length),
      [50],
    )
  })

  it('sends no more than some 16 MB to the database in one statement', async () => {
    const { submitTask, loads } = underTest()
    const payload = `"${'x'.repeat(1024 * 1024 - 2)}"`

    await Promise.all(Array.from({ length: 40 }, () => submitTask(aSubmission({ payload }))))

    assert.equal(
      loads.reduce((sum, { now }) => sum + now.length, 0),
      40,
    )
    assert.ok(loads.every(({ now }) => now.length <= 16))
  })

  it('tells of the packets once they are committed, and not before', async () => {
    const committed = Promise.withResolvers<void>()
    const submit = async () => {
      await committed.promise
      return { at, packets: [refOf(1)] }
    }
    const { submitTask, announced } = underTest({ store: { submit, submitKeyed: async () => assert.fail() } })
    const submitted = submitTask(aSubmission())
    assert.deepEqual(announced, [])

    committed.resolve()
    await submitted

    assert.deepEqual(announced, [refOf(1)])
  })

  it('fails while the database is away, and tells nobody of packets', async () => {
    const submit = async () => {
      throw new StoreUnavailableError(new Error('connect ECONNREFUSED'))
    }
    const { submitTask, submitBatch, announced } = underTest({
      store: { submit, submitKeyed: submit },
    })

    await assert.rejects(submitTask(aSubmission()), StoreUnavailableError)
    await assert.rejects(submitTask(aSubmission({ idempotencyKey: 'a' })), StoreUnavailableError)
    await assert.rejects(submitBatch([aSubmission()]), StoreUnavailableError)
    await assert.rejects(submitBatch([aSubmission({ idempotencyKey: 'a' })]), StoreUnavailableError)
    assert.deepEqual(announced, [])
  })

  it('refuses one that the database cannot read, and stores those that came with it', async () => {
    const { submitTask, submitBatch, loads } = underTest()

    const answers = await Promise.allSettled([
      ...Array.from({ length: 9 }, () => submitTask(aSubmission())),
      submitTask(aSubmission({ payload: '{' })),
      submitBatch([aSubmission(), aSubmission({ payload: '{' })]),
      submitBatch([aSubmission(), aSubmission()]),
    ])

    const refused = answers.flatMap((answer, i) => (answer.status === 'rejected' ? [i] : []))
    assert.deepEqual(refused, [9, 10])
    assert.equal(
      loads.reduce((sum, { now }) => sum + now.length, 0),
      11,
    )
  })
})

describe('submitting a batch', () => {
  it('answers ids in the order given, and remembers their range', async () => {
    const { submitBatch, loads } = underTest()

    const { batchId, ids } = await submitBatch([
      aSubmission({ payload: '"a"' }),
      aSubmission({ payload: '"b"', due: { afterMs: 5 } }),
      aSubmission({ payload: '"c"', priority: 'high' }),
    ])

    const [load] = loads
    const stored = [...load!.now, ...load!.later]
    assert.deepEqual(
      ids.map((id) => stored.find((task) => task.id === id)?.payload),
      ['"a"', '"b"', '"c"'],
    )
    assert.deepEqual(load?.batches, [{ id: batchId, total: 3, firstId: ids[0], lastId: ids[2] }])
    assert.ok(stored.every((task) => task.batchId === batchId))
  })

  it('cuts packets so that all workers get their share and none is too large for the smallest', async () => {
    const { submitBatch, loads } = underTest()
    const sizes = () => loads.at(-1)!.packets.map(({ first, last }) => last - first + 1)

    await submitBatch(Array.from({ length: 10 }, () => aSubmission()))
    assert.deepEqual(sizes(), [5, 5])

    await submitBatch(Array.from({ length: 25 }, () => aSubmission()))
    assert.deepEqual(sizes(), [10, 10, 5])
  })
})

describe('submitting with an idempotency key', () => {
  const key = 'order-1'
  const known = { id: newId(), status: 'completed', batchId: newId() } as Task

  function withKeys(keyed: KeyedStored['keyed'], found: Task[] = [known]) {
    const options: boolean[] = []
    return {
      options,
      ...underTest({
        store: {
          submit: async () => assert.fail('there is a key'),
          async submitKeyed(tasks, { allOrNothing, loadOf }) {
            options.push(allOrNothing)
            const own = keyed.map((answer, i) => (answer.fresh ? { ...answer, id: tasks[i]!.id } : answer))
            loadOf(tasks.filter((_, i) => keyed[i]?.fresh))
            return { at, packets: [refOf(1)], keyed: own }
          },
        },
        reader: { getMany: async () => found },
      }),
    }
  }
  const fresh = { id: '', fresh: true, sameBody: true }
  const replay = { id: known.id, fresh: false, sameBody: true }
  const reused = { id: known.id, fresh: false, sameBody: false }

  it('answers a new task for a new key', async () => {
    const { submitTask, options } = withKeys([fresh])

    const { task, replayed } = await submitTask(aSubmission({ idempotencyKey: key }))

    assert.deepEqual([task.idempotencyKey, task.status, replayed], [key, 'pending', false])
    assert.deepEqual(options, [false])
  })

  it('answers the task that exists, as it is now', async () => {
    const { submitTask } = withKeys([replay])

    assert.deepEqual(await submitTask(aSubmission({ idempotencyKey: key })), { task: known, replayed: true })
  })

  it('refuses another body, and only that one of those that came together', async () => {
    const { submitTask } = withKeys([fresh, reused, replay])

    const answers = await Promise.allSettled(
      [1, 2, 3].map(() => submitTask(aSubmission({ idempotencyKey: key }))),
    )

    assert.deepEqual(
      answers.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const refusal = answers[1]?.status === 'rejected' && answers[1].reason
    assert.ok(refusal instanceof TaskError && refusal.code === 'idempotency-key-reused')
  })

  it('refuses a batch in which one has another body, and says which', async () => {
    const { submitBatch, announced, options } = withKeys([fresh, fresh, reused])

    await assert.rejects(
      submitBatch([aSubmission(), aSubmission(), aSubmission({ idempotencyKey: key })]),
      (error) => error instanceof TaskError && error.code === 'idempotency-key-reused' && error.index === 2,
    )
    assert.deepEqual([announced, options], [[], [true]])
  })

  it('answers the batch that exists when all of it does', async () => {
    const { submitBatch } = withKeys([replay, replay])

    const answer = await submitBatch([
      aSubmission({ idempotencyKey: key }),
      aSubmission({ idempotencyKey: 'other' }),
    ])

    assert.deepEqual(answer, { batchId: known.batchId, ids: [known.id, known.id] })
  })
})
