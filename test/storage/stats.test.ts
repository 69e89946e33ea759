import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClaimedTask, Outcome } from '../../src/domain/outcome.ts'
import type { PacketId } from '../../src/domain/packet.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { createSweeper } from '../../src/storage/sweep.ts'
import { taskStore } from '../../src/storage/tasks.ts'
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
  someTasks,
} from '../support/ledger.ts'
import { until } from '../support/until.ts'

const outcomes = [completed, failed, retried, handedBack]

/** One of the moves that the system makes, on tasks and packets that the numbers choose. */
type Move = { name: (typeof moveNames)[number]; a: number; b: number }
const moveNames = [
  ...['submit', 'submitLater', 'repeat', 'claim', 'complete', 'fail', 'retryLater', 'handBack', 'late'],
  ...['cancel', 'retry', 'promote', 'postpone', 'giveBack', 'sweep', 'fold', 'split', 'partitions', 'retire'],
] as const

const anyMove: fc.Arbitrary<Move> = fc.record({
  name: fc.constantFrom(...moveNames),
  a: fc.nat({ max: 1000 }),
  b: fc.nat({ max: 1000 }),
})

type World = {
  ids: string[]
  running: ClaimedTask[]
  past: ClaimedTask[]
  workers: ReturnType<typeof aWorker>[]
}

test('counts and packets stay true whatever happens', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { store, upkeep } = ledger
  const work = ledger.ledger
  const sweep = createSweeper(ledger.moves)

  const ends = async (world: World, { a, b }: Move, outcomeOf: (task: ClaimedTask) => Outcome) => {
    const tasks = world.running.splice(a % (world.running.length + 1), 1 + (b % 4))
    for (const worker of world.workers)
      await work.finish(
        worker.id,
        tasks.map((task) => outcomeOf(task)),
        [],
      )
    world.past.push(...tasks)
    await settle(world)
  }

  /** What a worker does when nothing of a packet is left. */
  const settle = async (world: World) => {
    for (const worker of world.workers) {
      const held = await work.held(worker.id)
      const open = new Set<PacketId>(world.running.map((task) => task.packet))
      const done = held.filter((packet) => !open.has(packet))
      await work.postpone(worker.id, done)
      await work.finish(worker.id, [], done)
    }
  }

  const moves: Record<string, (world: World, move: Move) => Promise<unknown>> = {
    submit: (world, { a, b }) =>
      submitTo(ledger, world, { count: 1 + (a % 9), packetSize: 1 + (b % 5), later: false }),
    submitLater: (world, { a }) =>
      submitTo(ledger, world, { count: 1 + (a % 4), packetSize: 1, later: true }),
    repeat: (world, { a }) => ledger.submit(world.ids.slice(0, 1 + (a % 3)).map((id) => aTask({ id }))),
    async claim(world, { a, b }) {
      const worker = world.workers[a % 2]!
      const { tasks } = await ledger.claim({ ...worker, packetLimit: 1 + (b % 6) }, 1 + (b % 12))
      world.running.push(...tasks)
      await settle(world)
    },
    complete: (world, move) => ends(world, move, completed),
    fail: (world, move) => ends(world, move, failed),
    retryLater: (world, move) => ends(world, move, (task) => retried(task, move.a % 2 ? 0 : 60_000)),
    handBack: (world, move) => ends(world, move, (task) => handedBack(task, move.a % 2 === 0)),
    late({ past, workers }, { a, b }) {
      const outcomeOf: (task: ClaimedTask) => Outcome = outcomes[b % 4]!
      const tasks = past.slice(a % (past.length + 1))
      return work.finish(
        workers[0]!.id,
        tasks.map((task) => outcomeOf(task)),
        [],
      )
    },
    cancel: ({ ids }, { a, b }) => store.cancel(ids.slice(a % (ids.length + 1)).slice(0, 1 + (b % 5))),
    retry: ({ ids }, { a, b }) => store.retry(ids.slice(a % (ids.length + 1)).slice(0, 1 + (b % 5))),
    promote: (_, { a, b }) => upkeep.promote(1 + (a % 5), 1 + (b % 3)),
    async postpone({ workers, running }, { a }) {
      const worker = workers[a % 2]!
      const open = new Set(running.map((task) => task.packet))
      await work.postpone(
        worker.id,
        (await work.held(worker.id)).filter((packet) => !open.has(packet)),
      )
    },
    giveBack: ({ workers }, { a }) =>
      work.held(workers[a % 2]!.id).then((held) => work.giveBack(workers[a % 2]!.id, held)),
    async sweep({ workers }, { a }) {
      await ledger.rows(
        `insert into workers (id, host, pid, version, queues, types, concurrency, last_seen_at)
        values ($1, 'h', 1, '1', '{default}', '{plain}', 1, '-infinity') on conflict do nothing`,
        [workers[a % 2]!.id],
      )
      await sweep(15_000, true)
    },
    fold: () => upkeep.foldCounters(),
    async split() {
      const ids = await ledger.rows<[number]>('select id from packets')
      await work.split(
        ids.map(([id]) => id),
        2,
      )
    },
    partitions: () => upkeep.keepPartitions(30),
    retire: () => upkeep.retire(30),
  }

  await fc.assert(
    fc
      .asyncProperty(fc.array(anyMove, { minLength: 10, maxLength: 40 }), async (script) => {
        const world: World = { ids: [], running: [], past: [], workers: [aWorker(), aWorker()] }
        for (const move of script) await moves[move.name]!(world, move)
        await ledger.assertSound()
      })
      .beforeEach(() => ledger.clear()),
    { numRuns: 25 },
  )
})

async function submitTo(
  ledger: LedgerUnderTest,
  world: World,
  { count, packetSize, later }: { count: number; packetSize: number; later: boolean },
) {
  const kinds = [{ type: 'plain' }, { type: 'strange' }, { priority: 'high' }, { queue: 'other' }] as const
  const tasks = Array.from({ length: count }, (_, i) =>
    aTask({ ...kinds[i % 4 === 3 ? i % 4 : i % 3], ...(later ? { due: { afterMs: i * 30_000 } } : {}) }),
  )
  world.ids.push(...tasks.map(({ id }) => id))
  await ledger.submit(tasks, { packetSize })
}

test('statistics', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const announce = (types: string[], queues: string[], concurrency = 10) =>
    ledger.rows(
      `insert into workers (id, host, pid, version, queues, types, concurrency) values ($1, 'h', 1, '1', $2, $3, $4)`,
      [newId(), queues, types, concurrency],
    )

  await t.test('are all nought in the beginning', async () => {
    const counts = { scheduled: 0, pending: 0, processing: 0, completed: 0, failed: 0, canceled: 0 }
    assert.deepEqual(await ledger.reader.stats(), {
      total: 0,
      counts,
      queues: [],
      types: [],
      unserved: [],
      rates: {
        windowMs: 0,
        submittedPerSecond: 0,
        completedPerSecond: 0,
        failedPerSecond: 0,
        canceledPerSecond: 0,
      },
      oldestPendingAgeMs: null,
    })
  })

  await t.test('count by status, queue and type', async () => {
    await announce(['plain'], ['default', 'mail'], 5)
    await announce(['plain'], ['default'], 7)
    await ledger.submit([
      ...someTasks(3),
      aTask({ type: 'mail', queue: 'mail' }),
      aTask({ due: { afterMs: 60_000 } }),
    ])
    await ledger.claim(aWorker(), 3)

    const stats = await ledger.reader.stats()

    assert.equal(stats.total, 5)
    const { processing, pending, scheduled } = stats.counts
    assert.deepEqual([processing, pending, scheduled], [3, 1, 1])
    const queues = stats.queues.map(({ queue, counts, workers, slots }) => [
      queue,
      counts.pending,
      workers,
      slots,
    ])
    assert.deepEqual(queues, [
      ['default', 0, 2, 12],
      ['mail', 1, 1, 5],
    ])
    assert.deepEqual(
      stats.types.map(({ type, served }) => [type, served]),
      [
        ['mail', false],
        ['plain', true],
      ],
    )
    assert.deepEqual(stats.unserved, ['mail'])
  })

  await t.test(
    'say of a type that nobody serves it where its queue has no worker with a handler',
    async () => {
      await announce(['plain'], ['default'])
      await announce(['other'], ['mail'])
      await ledger.submit([aTask({ queue: 'mail' })])

      assert.deepEqual((await ledger.reader.stats()).unserved, ['plain'])
    },
  )

  await t.test('know how long the oldest pending task has waited, in each queue', async () => {
    await ledger.submit([aTask(), aTask({ queue: 'mail', priority: 'low' })])
    await ledger.rows(`update packets set created_at = now() - interval '90 seconds' where queue = 'mail'`)

    const { queues, oldestPendingAgeMs } = await ledger.reader.stats()

    const ages = queues.map(({ oldestPendingAgeMs }) => Math.floor(oldestPendingAgeMs! / 30_000))
    assert.deepEqual(ages, [0, 3])
    assert.equal(Math.floor(oldestPendingAgeMs! / 30_000), 3)
  })

  await t.test('measure rates against a sample of a minute ago', async () => {
    await ledger.upkeep.sampleCounts()
    await ledger.rows(`update samples set at = now() - interval '2 minutes'`)
    await ledger.submit(someTasks(120))
    const worker = aWorker()
    const { tasks } = await ledger.claim(worker, 100)
    await ledger.ledger.finish(
      worker.id,
      tasks.slice(0, 60).map((task) => completed(task)),
      [],
    )

    const { rates } = await ledger.reader.stats()

    assert.deepEqual(rates, {
      windowMs: 60_000,
      submittedPerSecond: 2,
      completedPerSecond: 1,
      failedPerSecond: 0,
      canceledPerSecond: 0,
    })
  })

  await t.test('take a sample only when counts have changed', async () => {
    const samples = async () => (await ledger.rows<[number]>('select count(*) from samples'))[0]![0]
    const later = () => ledger.rows(`update samples set at = at - interval '5 seconds'`)
    await ledger.upkeep.sampleCounts()
    await later()

    await ledger.upkeep.sampleCounts()
    assert.equal(await samples(), 1)

    await ledger.submit([aTask()])
    await ledger.upkeep.sampleCounts()
    assert.equal(await samples(), 2)
  })

  await t.test('stay the same when the counters of closed connections are folded into one', async () => {
    const moves = openDatabase(ledger.url, { connections: 3, statementTimeoutMs: 10_000, plans: 'moves' })
    const store = taskStore(moves)
    await Promise.all(
      Array.from({ length: 6 }, () =>
        store.submit({ now: someTasks(5), packets: [], later: [], batches: [] }),
      ),
    )
    await moves.close()
    const slots = async () =>
      (await ledger.rows<[number]>('select distinct slot from counters order by 1')).map(([slot]) => slot)
    assert.ok((await slots()).length > 1)
    const living = 'select from counters as c where exists (select from pg_stat_get_activity(c.slot))'
    await until(async () => (await ledger.rows(living)).length === 0, {
      what: 'the server has ended the connections',
    })

    await Promise.all([
      ledger.upkeep.foldCounters(),
      ledger.upkeep.foldCounters(),
      ledger.upkeep.foldCounters(),
    ])

    assert.deepEqual(await slots(), [0])
    assert.equal((await ledger.reader.stats()).counts.pending, 30)
  })
})
