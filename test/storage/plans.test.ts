import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchUpkeep } from '../../src/storage/batch-upkeep.ts'
import { batchLedger } from '../../src/storage/batches.ts'
import { moveLot } from '../../src/storage/bulk-moves.ts'
import { type Database, openDatabase, type Run } from '../../src/storage/connection.ts'
import { leasedWorkers } from '../../src/storage/leased-workers.ts'
import { moveLog } from '../../src/storage/move-log.ts'
import { keepPartitions } from '../../src/storage/partitions.ts'
import { progressStore } from '../../src/storage/progress.ts'
import { queueStore } from '../../src/storage/queues.ts'
import { taskReader } from '../../src/storage/task-reader.ts'
import { taskStore } from '../../src/storage/tasks.ts'
import { upkeep } from '../../src/storage/upkeep.ts'
import { workLedger } from '../../src/storage/work-ledger.ts'
import {
  aTask,
  aWorker,
  completed,
  failed,
  handedBack,
  type LedgerUnderTest,
  ledgerUnderTest,
  someTasks,
} from '../support/ledger.ts'
import { query } from '../support/postgres.ts'
import { until } from '../support/until.ts'

type PlanNode = {
  'Node Type': string
  'Relation Name'?: string
  'Index Cond'?: string
  Plans?: PlanNode[]
}

/** A database that remembers what it was asked. */
function remembering(database: Database): { database: Database; texts: Map<string, string> } {
  const texts = new Map<string, string>()
  const noting =
    (run: Run): Run =>
    (statement, values) => {
      texts.set(statement.name, statement.text)
      return run(statement, values)
    }
  return {
    texts,
    database: {
      ...database,
      run: noting(database.run),
      transaction: (work) => database.transaction((run) => work(noting(run))),
    },
  }
}

/** Makes each move once, so that the texts of all hot statements are known. */
async function makeAllMoves(database: Database): Promise<void> {
  const store = taskStore(database)
  const work = workLedger(database)
  const care = upkeep({ moves: database, looks: database, chores: database })
  const reader = taskReader({ moves: database, looks: database })
  const worker = aWorker()
  const load = (now: ReturnType<typeof someTasks>) => ({ now, packets: [], later: [], batches: [] })
  const tasks = someTasks(4)
  const packet = { queue: 'default', priority: 'normal' as const, first: 0, last: 3 }
  const { packets } = await store.submit({
    ...load(tasks),
    packets: [packet],
    later: [aTask({ due: { afterMs: 0 } })],
  })
  await store.submitKeyed([aTask({ idempotencyKey: 'a' })], {
    allOrNothing: false,
    loadOf: (now) => load([...now]),
  })
  const claim = await work.claim(worker, { room: 10, packets: packets.map(({ id }) => id) })
  const [done, bad, back] = claim.tasks
  await work.finish(worker.id, [completed(done!), failed(bad!), handedBack(back!)], [])
  await work.claim(worker, { room: 10, queues: ['default'], look: 10 })
  await work.postpone(worker.id, await work.held(worker.id))
  await work.lapsed(worker.id, claim.tasks)
  await work.split([1], 1)
  await store.cancel([tasks[3]!.id])
  await store.retry([tasks[3]!.id])
  await care.promote(10, 10)
  await work.giveBack(worker.id, await work.held(worker.id))
  await queueStore(database).change('limited', { concurrency: 10, keyConcurrency: 5 })
  const keyed = someTasks(4, { queue: 'limited', key: 'a' })
  const limited = { ...packet, queue: 'limited' }
  await store.submit({ ...load(keyed), packets: [limited] })
  const admitted = await work.claim(worker, { room: 9, gate: 'limited' })
  await work.finish(
    worker.id,
    admitted.tasks.map((task) => completed(task)),
    admitted.packets.map(({ id }) => id),
  )
  await leasedWorkers(database).settle(worker.id, {})
  await reader.settled([done!.id])
  await reader.get(done!.id)
  await reader.changed([{ id: done!.id, status: 'pending', attempt: 0, progress: 0 }])
  const log = moveLog(database)
  await log.read((await log.here()).position)
  await progressStore(database).report([{ id: done!.id, attempt: 1, done: 1, total: 2, message: null }])
  await makeBatchMoves(database)
  for (const action of ['cancel', 'retry', 'delete'] as const)
    await moveLot(database.run, action, { ids: [done!.id], statuses: ['failed'] })
}

async function makeBatchMoves(database: Database): Promise<void> {
  const batches = batchLedger({ moves: database, looks: database })
  const batchId = aTask().id
  const now = [aTask({ batchId })]
  const range = { total: 1, firstId: now[0]!.id, lastId: now[0]!.id }
  await taskStore(database).submit({ now, packets: [], later: [], batches: [{ id: batchId, ...range }] })
  await batches.read(batchId)
  await batches.finished([batchId])
  await batches.cancelSome(batchId, batchId)
  await batches.retrySome(batchId, batchId)
  await batchUpkeep({ moves: database, chores: database }).settle([batchId], () => ({
    load: { now: [], packets: [], later: [], batches: [] },
    ids: [],
  }))
}

const hot = [
  ...[
    'tasks.submit',
    'tasks.submit-scheduled',
    'packets.claim-from-ledger',
    'packets.claim-named',
    'tasks.complete',
  ],
  ...['tasks.fail', 'tasks.hand-back', 'tasks.cancel', 'tasks.retry', 'schedule.promote', 'packets.put-back'],
  ...['packets.postpone', 'packets.split', 'packets.held', 'tasks.lapsed', 'tasks.settled', 'tasks.read'],
  ...['attempts.read', 'keys.take', 'keys.read', 'progress.store', 'tasks.changed', 'events.read'],
  ...['tasks.submit-batched', 'batches.read', 'batches.cancel'],
  ...['batches.retry', 'batches.read-over', 'batches.finish', 'batch-counters.fold-batches'],
  ...[
    'tasks.submit-with-keys',
    'parcels.park',
    'parcels.admit',
    'admitted.release',
    'lanes.next',
    'lanes.open-full',
  ],
  ...['admitted.forget-lost', 'packets.settle-leased'],
  ...['bulk.cancel', 'bulk.retry', 'bulk.delete'],
]
const large =
  /^(tasks|packets|schedule|stopped|attempts|progress|events|idempotency_keys|batch|parcels|lanes|admitted)/

async function planOf({ run }: Database, text: string): Promise<PlanNode[]> {
  const [row] = await run<[string]>({ name: '', text: `explain (generic_plan, format json) ${text}` })
  const nodes: PlanNode[] = []
  const walk = (node: PlanNode) => {
    nodes.push(node)
    node.Plans?.forEach(walk)
  }
  for (const { Plan } of JSON.parse(row![0])) walk(Plan)
  return nodes
}

/** What no hot statement may do: read a large table whole, or join in a way that does not go row by row. */
async function flawsOf(
  database: Database,
  texts: Map<string, string>,
  empty: readonly string[] = [],
): Promise<string[]> {
  const flaws: string[] = []
  for (const name of hot) {
    for (const node of await planOf(database, texts.get(name)!)) {
      const kind = node['Node Type']
      if (/Hash Join|Merge Join/.test(kind)) flaws.push(`${name}: ${kind}`)
      const table = node['Relation Name']
      if (!table || !large.test(table) || empty.includes(table)) continue
      if (/Seq Scan/.test(kind)) flaws.push(`${name}: ${kind} on ${table}`)
      // A bitmap scan has always a condition on an index.
      if (/^Index/.test(kind) && !node['Index Cond']) flaws.push(`${name}: ${kind} on ${table}, all of it`)
    }
  }
  return flaws
}

async function fill(ledger: LedgerUnderTest): Promise<void> {
  for (let i = 0; i < 10; i++) await ledger.submit(someTasks(1_000))
  const worker = aWorker()
  const { tasks, packets } = await ledger.claim(worker, 5_000)
  const ends = tasks.map((task, i) => (i % 10 ? completed(task) : failed(task)))
  await ledger.ledger.finish(
    worker.id,
    ends,
    packets.map(({ id }) => id),
  )
  await ledger.submit(someTasks(10_000, { due: { afterMs: 60_000 } }))
}

test('plans of the hot statements', async (t) => {
  const ledger = await ledgerUnderTest(t)
  const { database, texts } = remembering(ledger.moves)

  await t.test('go by key on empty tables', async () => {
    await makeAllMoves(database)

    assert.deepEqual(await flawsOf(ledger.moves, texts), [])
  })

  await t.test('go by key on full ones, also with many partitions', async () => {
    await keepPartitions(ledger.looks, 8)
    await fill(ledger)
    await ledger.rows('analyze')
    // How an empty partition is read makes no difference, and its plan is made anew when it fills.
    const empty = await ledger.rows<[string]>(
      `select relname from pg_class where reltuples = 0 and relkind = 'r' and relname like 'tasks%'`,
    )

    assert.deepEqual(await flawsOf(ledger.moves, texts, empty.flat()), [])
  })
})

/** Drains some thousand tasks in the ordinary way. Answers which share of the updates touched no index. */
async function heapOnlyShareOfDrain(ledger: LedgerUnderTest): Promise<number> {
  const read = async () => {
    const text = `select sum(n_tup_upd)::int as updated, sum(n_tup_hot_upd)::int as hot
                    from pg_stat_user_tables where schemaname = 'millrace' and relname like 'tasks\\_%'`
    return (await query<{ updated: number; hot: number }>(ledger.url, text))[0]!
  }
  const before = await read()
  const moves = openDatabase(ledger.url, { connections: 2, statementTimeoutMs: 20_000, plans: 'moves' })
  const work = workLedger(moves)
  const worker = aWorker()
  for (let round = 0; round < 20; round++) {
    await ledger.submit(someTasks(100))
    const { tasks, packets } = await work.claim(worker, { room: 100, queues: ['default'], look: 10 })
    const ends = tasks.map((task) => completed(task))
    await work.finish(
      worker.id,
      ends,
      packets.map(({ id }) => id),
    )
  }
  await moves.close() // its sessions report what they did at their end
  const after = await until(
    async () => {
      const now = await read()
      return now.updated - before.updated >= 4_000 && now
    },
    { what: 'the statistics of the tables' },
  )
  return (after.hot - before.hot) / (after.updated - before.updated)
}

test('moving a task touches its row alone, and no index', async (t) => {
  const ledger = await ledgerUnderTest(t)

  // Space comes free when nobody can see the old rows any more. A transaction of somebody else on the same server
  // may be in the way for a while; an index would always be.
  const share = await until(
    async () => {
      const measured = await heapOnlyShareOfDrain(ledger)
      return measured >= 0.9 && measured
    },
    { what: 'nine of ten updates touch no index', deadlineMs: 20_000 },
  )
  assert.ok(share >= 0.9)
})
