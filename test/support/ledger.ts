import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { idSource } from '../../src/domain/id.ts'
import type { ClaimedTask, Failure, Outcome } from '../../src/domain/outcome.ts'
import { type Capacity, pack } from '../../src/domain/packet.ts'
import type { Claim, Stored, TaskReader, TaskStore, Upkeep, WorkLedger } from '../../src/domain/ports.ts'
import type { NewBatch, NewTask } from '../../src/domain/submission.ts'
import { type Database, openDatabase, type Row } from '../../src/storage/connection.ts'
import { taskReader } from '../../src/storage/task-reader.ts'
import { taskStore } from '../../src/storage/tasks.ts'
import { upkeep } from '../../src/storage/upkeep.ts'
import { workLedger } from '../../src/storage/work-ledger.ts'
import { testDatabase } from './postgres.ts'

export const newId = idSource()

/** A task as a submission of nothing in particular makes it. */
export function aTask(wish: Partial<NewTask> = {}): NewTask {
  return {
    id: newId(),
    payload: '{"n": 1}',
    type: 'plain',
    queue: 'default',
    priority: 'normal',
    due: 'now',
    ...wish,
  }
}

export function someTasks(count: number, wish: Partial<NewTask> = {}): NewTask[] {
  return Array.from({ length: count }, () => aTask(wish))
}

export function aWorker(wish: Partial<{ id: string; types: string[]; packetLimit: number }> = {}) {
  return { id: newId(), types: ['plain'], packetLimit: 100, ...wish }
}

export function aFailure(attempt: number, message = 'no luck'): Failure {
  return { name: 'Error', message, attempt, stack: 'Error: no luck\n    at run (tasks.ts:7:3)' }
}

export const completed = (task: ClaimedTask, result = '1'): Outcome => ({ task, status: 'completed', result })
export const failed = (task: ClaimedTask): Outcome => ({
  task,
  status: 'failed',
  failure: aFailure(task.attempt),
  maxAttempts: 3,
})
export const retried = (task: ClaimedTask, delayMs = 0): Outcome => ({
  task,
  status: 'scheduled',
  failure: aFailure(task.attempt),
  maxAttempts: 3,
  delayMs,
})
export const handedBack = (task: ClaimedTask, crashed = false): Outcome => ({
  task,
  status: 'pending',
  crashed,
})

/** Another worker's transaction, which has taken a packet and not committed yet. */
export async function holdPacket(t: { after(fn: () => Promise<void>): void }, url: string, packet: number) {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  await client.query('begin')
  await client.query('update millrace.packets set worker_id = $2 where id = $1', [packet, newId()])
  return client
}

export type LedgerUnderTest = {
  url: string
  moves: Database
  looks: Database
  store: TaskStore
  ledger: WorkLedger
  reader: TaskReader
  upkeep: Upkeep
  /** Submits with packets of at most `packetSize`. */
  submit(
    tasks: readonly NewTask[],
    options?: { packetSize?: number; batches?: readonly NewBatch[] },
  ): Promise<Stored>
  /** Claims from the queue `default`. */
  claim(worker: ReturnType<typeof aWorker>, room?: number): Promise<Claim>
  /** One task, submitted and claimed. */
  started(
    worker: ReturnType<typeof aWorker>,
    wish?: Partial<NewTask>,
  ): Promise<ClaimedTask & { packet: number }>
  rows<R extends Row>(text: string, values?: readonly unknown[]): Promise<R[]>
  statusOf(id: string): Promise<string | undefined>
  /** Empties all tables. */
  clear(): Promise<void>
  /** Fails unless counts are exact and every task is in the side tables where it will be found again. */
  assertNothingLost(): Promise<void>
  /** The same, and the side tables have nothing else. */
  assertSound(): Promise<void>
}

/** The ledger on a database of its own, emptied before each subtest. */
export async function ledgerUnderTest(
  t: TestContext,
  {
    connections = 4,
    isListenedTo = () => false,
  }: { connections?: number; isListenedTo?: () => boolean } = {},
): Promise<LedgerUnderTest> {
  const url = await testDatabase(t)
  const moves = openDatabase(url, { connections, statementTimeoutMs: 20_000, plans: 'moves', isListenedTo })
  const looks = openDatabase(url, { connections: 4, statementTimeoutMs: 20_000, plans: 'looks' })
  t.after(() => Promise.all([moves.close(), looks.close()]))
  t.beforeEach(() => empty(looks))
  const store = taskStore(moves)
  const ledger = workLedger(moves)
  const rows = <R extends Row>(text: string, values: readonly unknown[] = []) =>
    looks.run<R>({ name: '', text }, values)

  return {
    url,
    moves,
    looks,
    store,
    ledger,
    reader: taskReader({ moves, looks }),
    upkeep: upkeep({ moves, looks, chores: looks }),
    submit,
    claim,
    started,
    rows,
    async statusOf(id) {
      return (await rows<[string]>('select status from tasks where id = $1', [id]))[0]?.[0]
    },
    clear: () => empty(looks),
    assertNothingLost,
    async assertSound() {
      await assertNothingLost()
      assert.deepEqual(await strayRows(rows), [], 'no side table has a task that is not in that status')
    },
  }

  async function assertNothingLost() {
    assert.deepEqual(await countDifferences(rows), [], 'the kept counts are those of the table')
    assert.deepEqual(await batchDifferences(rows), [], 'the kept counts of batches are those of the table')
    assert.deepEqual(await lostTasks(rows), [], 'every task can be found again')
  }

  async function submit(
    tasks: readonly NewTask[],
    { packetSize = 100, batches = [] }: { packetSize?: number; batches?: readonly NewBatch[] } = {},
  ) {
    const capacity: Capacity = { workers: 1, smallestConcurrency: packetSize * 16 }
    const packed = pack(
      tasks.filter((task) => task.due === 'now'),
      () => capacity,
    )
    const later = tasks.filter((task) => task.due !== 'now')
    return store.submit({ now: packed.tasks, packets: packed.packets, later, batches })
  }

  function claim(worker: ReturnType<typeof aWorker>, room = 1000) {
    return ledger.claim(worker, { room, queues: ['default'], look: 500 })
  }

  async function started(worker: ReturnType<typeof aWorker>, wish: Partial<NewTask> = {}) {
    const { packets } = await submit([aTask(wish)])
    const claim = await ledger.claim(worker, { room: 1, packets: packets.map((packet) => packet.id) })
    assert.equal(claim.tasks.length, 1)
    return claim.tasks[0]!
  }
}

async function empty({ run }: Database): Promise<void> {
  for (const table of tables) await run({ name: '', text: `delete from ${table}` })
}

const tables = [
  'tasks',
  'packets',
  'schedule',
  'stopped',
  'attempts',
  'progress',
  'events',
  'event_listeners',
  'idempotency_keys',
  'batches',
  'batch_counters',
  'batch_sequels',
  'batch_callbacks',
  'callbacks',
  'counters',
  'samples',
  'bulk_actions',
  'bulk_action_lots',
  'workers',
  'crashes',
  'queues',
  'parcels',
  'lanes',
  'admitted',
]

type Rows = LedgerUnderTest['rows']

function countDifferences(rows: Rows) {
  return rows(`
    select * from (select queue, type, status, count(*) as n from tasks group by queue, type, status) as counted
      full join (select queue, type, status, sum(n)::bigint as n from counters group by queue, type, status
                 having sum(n) <> 0) as kept
     using (queue, type, status, n)
     where counted is null or kept is null`)
}

function batchDifferences(rows: Rows) {
  return rows(`
    select * from (select batch_id, status, count(*) as n from tasks where batch_id is not null group by 1, 2) as counted
      full join (select batch_id, status, sum(n)::bigint as n from batch_counters group by 1, 2
                 having sum(n) <> 0) as kept
     using (batch_id, status, n)
     where counted is null or kept is null`)
}

function lostTasks(rows: Rows) {
  return rows(`
    with member as (select worker_id, unnest(task_ids) as id from packets)
    select t.id, t.status, 'in no packet' from tasks as t
     where status = 'pending' and id not in (select id from member union all select task_id from parked)
    union all
    select p.task_id, null, 'parked in no lane' from parked as p
     where not exists (select from lanes as l where l.queue = p.queue and l.key = p.key)
    union all
    select t.id, t.status, 'in no packet of its worker' from tasks as t
     where status = 'processing' and (id, worker_id) not in (select id, worker_id from member where worker_id is not null)
    union all
    select t.id, t.status, 'not in the schedule' from tasks as t
     where status = 'scheduled' and id not in (select task_id from schedule)
    union all
    select t.id, t.status, 'not among the stopped' from tasks as t
     where status in ('failed', 'canceled') and (status, id) not in (select status, task_id from stopped)`)
}

function strayRows(rows: Rows) {
  return rows(`
    select s.task_id, t.status, 'in the schedule' from schedule as s left join tasks as t on t.id = s.task_id
     where t.status is distinct from 'scheduled'
    union all
    select s.task_id, t.status, 'among the stopped' from stopped as s left join tasks as t on t.id = s.task_id
     where t.status is distinct from s.status`)
}
