import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Batch, BatchLedger, BatchUpkeep } from '../../src/domain/batch.ts'
import { StoreRefusedError, StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import type { Load } from '../../src/domain/ports.ts'
import type { Submission } from '../../src/domain/submission.ts'
import { handlingBatches } from '../../src/usecases/batches.ts'
import { type ImportDeps, importing } from '../../src/usecases/import.ts'
import { keepingBatches } from '../../src/usecases/keep-batches.ts'
import { handClock, keptLog, settled } from '../support/doubles.ts'
import { newId } from '../support/ledger.ts'

const away = () => Promise.reject(new StoreUnavailableError(new Error('away')))
const counts = { scheduled: 0, pending: 0, processing: 0, completed: 2, failed: 0, canceled: 0 }
const open: Batch = {
  ...{ id: 'b', total: 2, counts: { ...counts, pending: 1, completed: 1 } },
  ...{ createdAt: '2030-01-01T00:00:00.000Z', finishedAt: null, importing: false, thenId: null },
}
const over: Batch = { ...open, counts }
const finished: Batch = { ...over, finishedAt: '2030-01-01T00:00:01.000Z' }

function handlingUnderTest(wish: Partial<BatchLedger>) {
  const clock = handClock()
  const settledIds: string[] = []
  const told: unknown[] = []
  const announced: unknown[] = []
  const handling = handlingBatches({
    batches: {
      read: async () => open,
      page: async () => ({ batches: [open], next: null }),
      finished: async () => [],
      cancelSome: async () => assert.fail('not asked for'),
      retrySome: async () => assert.fail('not asked for'),
      ...wish,
    },
    settle: async (ids) => void settledIds.push(...ids),
    notices: { canceled: (attempts) => told.push(...attempts) },
    announce: (packets) => announced.push(...packets),
    sleep: clock.sleep,
  })
  return { ...handling, clock, settledIds, told, announced }
}

describe('a batch', () => {
  it('that nobody has finished yet although all is final is finished by who reads it', async () => {
    const answers = [over, finished]
    const { readBatch, settledIds } = handlingUnderTest({ read: async () => answers.shift() })

    assert.deepEqual(await readBatch('b'), finished)
    assert.deepEqual(settledIds, ['b'])
  })

  it('to which tasks are added is left alone, and so is one that goes on', async () => {
    for (const batch of [{ ...over, importing: true }, open]) {
      const { readBatch, settledIds } = handlingUnderTest({ read: async () => batch })
      assert.deepEqual(await readBatch('b'), batch)
      assert.deepEqual(settledIds, [])
    }
  })

  it('that is not there is an error with its code', async () => {
    const cases = handlingUnderTest({ read: async () => undefined })
    const signal = new AbortController().signal
    for (const act of [
      () => cases.readBatch('b'),
      () => cases.awaitBatch('b', 1_000, signal),
      () => cases.cancelBatch('b'),
      () => cases.retryBatch('b'),
    ])
      await assert.rejects(act, (error) => error instanceof TaskError && error.code === 'batch-not-found')
  })

  it('is asked for once for all who wait, until it is finished', async () => {
    const asked: unknown[] = []
    let isFinished = false
    const { awaitBatch, clock } = handlingUnderTest({
      read: async () => (isFinished ? finished : open),
      async finished(ids) {
        asked.push(ids)
        return isFinished ? [...ids] : []
      },
    })
    const { signal } = new AbortController()
    const waiting = Promise.all(Array.from({ length: 100 }, () => awaitBatch('b', 5_000, signal)))
    await settled()
    assert.deepEqual(asked, [['b']])

    isFinished = true
    await clock.pass(25)

    assert.deepEqual(new Set(await waiting), new Set([finished]))
    assert.deepEqual(asked, [['b'], ['b']])
  })

  it('is canceled step by step, and workers hear of what they run', async () => {
    const steps = [
      { canceled: 5, interrupted: [{ id: 'x', attempt: 2 }], next: 'm' },
      { canceled: 1, interrupted: [], next: null },
    ]
    const from: string[] = []
    const { cancelBatch, told, settledIds } = handlingUnderTest({
      async cancelSome(_id, after) {
        from.push(after)
        return steps.shift()!
      },
    })

    assert.equal(await cancelBatch('b'), 6)
    assert.deepEqual(from, ['00000000-0000-0000-0000-000000000000', 'm'])
    assert.deepEqual([told, settledIds], [[{ id: 'x', attempt: 2 }], ['b']])
  })

  it('is retried step by step, and the packets are announced', async () => {
    const packet = { id: 1, queue: 'default', priority: 'normal' } as const
    const steps = [
      { retried: 2, packets: [packet], next: 'm' },
      { retried: 1, packets: [packet], next: null },
    ]
    const { retryBatch, announced } = handlingUnderTest({ retrySome: async () => steps.shift()! })

    assert.equal(await retryBatch('b'), 3)
    assert.deepEqual(announced, [packet, packet])
  })
})

const aSubmission = (payload: string, idempotencyKey?: string): Submission => ({
  ...{ payload, type: 'plain', queue: 'default', priority: 'normal', due: 'now' },
  ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
})

function importUnderTest(wish: Partial<ImportDeps['store']> = {}) {
  const clock = handClock()
  const loads: Load[] = []
  const said: unknown[] = []
  const { openImport } = importing({
    store: {
      async submit(load) {
        if (load.now.some((task) => task.payload === '{')) throw new StoreRefusedError(new Error('no JSON'))
        loads.push(load)
        return { at: '', packets: [] }
      },
      submitKeyed: async () => assert.fail('no keys here'),
      ...wish,
    },
    batches: {
      open: async ({ id, importing, callback }) =>
        void said.push(['open', id, importing, ...(callback ? [callback] : [])]),
      moveCallback: async (id, queue) => void said.push(['moveCallback', id, queue]),
      touch: async (id) => void said.push(['touch', id]),
      close: async (id, lastId) => void said.push(['close', id, lastId > id]),
    },
    newId,
    capacityOf: () => ({ workers: 1, smallestConcurrency: 1_600 }),
    announce: () => {},
    touched: (ids) => said.push(['touched', ...ids]),
    sleep: clock.sleep,
  })
  return { openImport, clock, loads, said }
}

describe('an import', () => {
  it('is a batch from before its first task until after its last', async () => {
    const { openImport, loads, said } = importUnderTest()
    const { batchId, add, close } = await openImport()
    const ids = await add([aSubmission('1'), aSubmission('2')])
    await close()

    assert.deepEqual(said, [
      ['open', batchId, true],
      ['close', batchId, true],
      ['touched', batchId],
    ])
    assert.deepEqual(
      loads[0]?.now.map((task) => [task.id, task.batchId]),
      ids.map((id) => [id, batchId]),
    )
  })

  it('is told of from the queue of its first task', async () => {
    const { openImport, said } = importUnderTest()
    const { batchId, add } = await openImport({ callbackUrl: 'http://a.b' })
    await add([{ ...aSubmission('1'), queue: 'far' }])
    await add([{ ...aSubmission('2'), queue: 'off' }])

    assert.deepEqual(said, [
      ['open', batchId, true, { url: 'http://a.b', queue: 'default' }],
      ['moveCallback', batchId, 'far'],
    ])
  })

  it('tells of the task whose value the database refuses, and stores its neighbors in order', async () => {
    const { openImport, loads } = importUnderTest()
    const { add } = await openImport()
    const answers = await add(['1', '2', '{', '4'].map((payload) => aSubmission(payload)))

    assert.ok(answers[2] instanceof TaskError && answers[2].code === 'value-not-storable')
    assert.deepEqual(
      loads.flatMap(({ now }) => now.map(({ payload }) => payload)),
      ['1', '2', '4'],
    )
  })

  it('answers the task that a key has, and refuses another body', async () => {
    const { openImport } = importUnderTest({
      submitKeyed: async (tasks) => ({
        ...{ at: '', packets: [] },
        keyed: tasks.map((task, i) => ({ id: `task ${i}`, fresh: i === 0, sameBody: task.payload !== '3' })),
      }),
    })
    const { add } = await openImport()
    const answers = await add([aSubmission('1', 'a'), aSubmission('2', 'b'), aSubmission('3', 'c')])
    assert.deepEqual(answers.slice(0, 2), ['task 0', 'task 1'])
    assert.ok(answers[2] instanceof TaskError && answers[2].code === 'idempotency-key-reused')
  })

  it('tries the same tasks again while the database is away for a moment, and gives up in the end', async (t) => {
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    const tried: string[] = []
    let outage = 1
    const { openImport, clock } = importUnderTest({
      async submit({ now }) {
        tried.push(now[0]!.id)
        return outage-- > 0 ? away() : { at: '', packets: [] }
      },
    })
    const { add } = await openImport()
    const adding = add([aSubmission('1')])
    await clock.pass(50)
    assert.deepEqual(await adding, [tried[0]])
    assert.equal(tried[0], tried[1])

    outage = 2
    const failing = assert.rejects(add([aSubmission('2')]), StoreUnavailableError)
    await settled()
    nowMs = 31_000
    await clock.pass(50)
    await failing
  })

  it('says that it lives when it has been quiet for a while', async (t) => {
    let nowMs = 0
    t.mock.method(performance, 'now', () => nowMs)
    const { openImport, said } = importUnderTest()
    const { batchId, add } = await openImport()
    await add([aSubmission('1')])
    nowMs = 11_000
    await add([aSubmission('2')])
    await add([aSubmission('3')])
    assert.deepEqual(said.slice(1), [['touch', batchId]])
  })
})

function keepingUnderTest(wish: Partial<BatchUpkeep> = {}) {
  const clock = handClock()
  const { log, lines } = keptLog()
  const settledIds: string[][] = []
  const keeper = keepingBatches({
    upkeep: {
      async settle(ids) {
        settledIds.push([...ids])
        return { finished: [], packets: [] }
      },
      unfinished: async () => [],
      closeSilent: async () => 0,
      recountOne: async () => false,
      foldCounters: async () => {},
      ...wish,
    },
    newId,
    capacityOf: () => ({ workers: 1, smallestConcurrency: 1_600 }),
    announce: () => {},
    sleep: clock.sleep,
    log,
  })
  return { ...keeper, clock, settledIds, lines }
}

describe('keeping batches', () => {
  it('looks at what was touched at once, and at all that came meanwhile together', async () => {
    const { touched, clock, settledIds } = keepingUnderTest()
    touched(['a'])
    touched(['b', 'c'])
    touched(['c'])
    await clock.pass(20)
    await settled()
    assert.deepEqual(settledIds, [['a'], ['b', 'c']])
  })

  it('goes through the unfinished ones, a thousand at a time, from the beginning again after the last', async () => {
    const asked: string[] = []
    const many = Array.from({ length: 1_000 }, (_, i) => `id ${i}`)
    const { run, clock, settledIds } = keepingUnderTest({
      async unfinished(after) {
        asked.push(after)
        return asked.length === 1 ? many : ['z']
      },
    })
    const stopping = new AbortController()
    const done = run(stopping.signal)
    await clock.pass(1_000)
    await clock.pass(1_000)
    await settled()
    stopping.abort()
    await done

    const lowest = '00000000-0000-0000-0000-000000000000'
    assert.deepEqual(asked, [lowest, 'id 999', lowest])
    assert.deepEqual(
      settledIds.map((ids) => ids.length),
      [1_000, 1, 1],
    )
  })

  it('goes on when the database is away, and complains once', async () => {
    const { run, touched, clock, lines } = keepingUnderTest({ unfinished: away, settle: away })
    touched(['a'])
    const stopping = new AbortController()
    const done = run(stopping.signal)
    await clock.pass(1_000)
    await clock.pass(1_000)
    await settled()
    stopping.abort()
    await done
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn'],
    )
  })
})
