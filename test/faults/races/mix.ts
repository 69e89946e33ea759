import { idSource } from '../../../src/domain/id.ts'
import type { ClaimedTask, Outcome } from '../../../src/domain/outcome.ts'
import type { Load } from '../../../src/domain/ports.ts'
import type { NewTask } from '../../../src/domain/submission.ts'
import { batchUpkeep } from '../../../src/storage/batch-upkeep.ts'
import { batchLedger } from '../../../src/storage/batches.ts'
import { openDatabase } from '../../../src/storage/connection.ts'
import { outbox } from '../../../src/storage/packets.ts'
import { taskReader } from '../../../src/storage/task-reader.ts'
import { taskStore } from '../../../src/storage/tasks.ts'
import { upkeep } from '../../../src/storage/upkeep.ts'
import { workLedger } from '../../../src/storage/work-ledger.ts'
import { announceText, workerRegistry } from '../../../src/storage/workers.ts'
import { leaseMs } from '../../../src/usecases/housekeep.ts'
import type { Random } from '../trial/fault.ts'
import { seeded } from '../trial/random.ts'
import { flawsOf } from './flaws.ts'

export type MixOptions = {
  /** A migrated, empty database. */
  database: string
  ways: number
  durationMs: number
  seed: number
  after(undo: () => unknown): void
}

export type MixPlayed = {
  calls: Record<string, number>
  /** What reached a caller, with the call that it reached. */
  errors: string[]
  /** Deadlocks that the server ended; who was rolled back tried again. */
  deadlocks: number
  slowestMs: number
  /** Counts that differ and tasks that nothing finds again, when all is done. */
  flaws: string[]
}

const newId = idSource()
const queues = ['default', 'mail']
const batchIds = [newId(), newId(), newId()]
const lastOfAll = 'ffffffff-ffff-ffff-ffff-fffffffffffe'
const bulk = 100
/** So few that everybody meets everybody. */
const poolSize = 3_000

/** Makes every statement of the ledger `ways` times at once, in bulk, on tasks that all of them share. */
export async function playMix({ database, ways, durationMs, seed, after }: MixOptions): Promise<MixPlayed> {
  const moves = openDatabase(database, { connections: ways, statementTimeoutMs: 60_000, plans: 'moves' })
  const looks = openDatabase(database, { connections: 4, statementTimeoutMs: 60_000, plans: 'looks' })
  after(() => Promise.all([moves.close(), looks.close()]))
  const shared: Shared = { moves, looks, pool: [], packets: [] }
  for (const id of batchIds)
    await batchLedger(shared).open({ id, total: 0, firstId: id, lastId: lastOfAll, importing: true })
  const played: MixPlayed = { calls: {}, errors: [], deadlocks: 0, slowestMs: 0, flaws: [] }
  const untilMs = performance.now() + durationMs
  const way = async (number: number) => {
    const random = seeded(seed * 1_000 + number)
    const moves = movesOf(shared, random)
    while (performance.now() < untilMs) await call(played, random.pick(moves))
  }
  await Promise.all(Array.from({ length: ways }, (_, i) => way(i)))
  const text = 'select deadlocks from pg_stat_database where datname = current_database()'
  played.deadlocks = (await looks.run<[number]>({ name: '', text }))[0]![0]
  played.flaws = await flawsOf(looks)
  return played
}

type Shared = {
  moves: ReturnType<typeof openDatabase>
  looks: ReturnType<typeof openDatabase>
  /** Ids of tasks. */
  pool: string[]
  /** Numbers of packets, most of them gone. */
  packets: number[]
}
type NamedMove = [name: string, move: () => Promise<unknown>]

async function call(played: MixPlayed, [name, move]: NamedMove): Promise<void> {
  const beganMs = performance.now()
  try {
    await move()
  } catch (error) {
    played.errors.push(`${name}: ${error instanceof Error ? error.message : error}`)
  }
  played.calls[name] = (played.calls[name] ?? 0) + 1
  played.slowestMs = Math.max(played.slowestMs, Math.round(performance.now() - beganMs))
}

/** What one of them does; each is a worker, too. */
function movesOf(shared: Shared, random: Random): NamedMove[] {
  const hot = [...clientMoves(shared, random), ...workerMoves(shared, random)]
  return [...hot, ...hot, ...hot, ...careMoves(shared, random), ...batchMoves(shared, random)]
}

function clientMoves({ moves, looks, pool, packets }: Shared, random: Random): NamedMove[] {
  const store = taskStore(moves)
  const reader = taskReader({ moves, looks })
  const some = () => Array.from({ length: random.between(1, bulk) }, () => random.pick(pool))
  const submitted = async (
    tasks: readonly NewTask[],
    stored: Promise<{ packets: readonly { id: number }[] }>,
  ) => {
    packets.push(...(await stored).packets.map(({ id }) => id))
    pool.push(...tasks.map(({ id }) => id))
    pool.splice(0, pool.length - poolSize)
  }
  const submit = (wish: Partial<NewTask> = {}) => {
    const tasks = newTasks(random, wish)
    return submitted(tasks, store.submit(loadOf(tasks)))
  }
  const keyed = () => {
    const tasks = newTasks(random, {}).map((task) => ({
      ...task,
      idempotencyKey: `key ${random.between(0, 500)}`,
    }))
    const allOrNothing = random.next() < 0.5
    return submitted(
      [],
      store.submitKeyed(onePerKey(tasks), { allOrNothing, loadOf: (fresh) => loadOf([...fresh]) }),
    )
  }
  const ifAny = (move: () => Promise<unknown>) => () => (pool.length > 0 ? move() : submit())
  return [
    ['submit', () => submit()],
    ['submit for later', () => submit({ due: { afterMs: random.between(0, 2_000) } })],
    ['submit with keys', keyed],
    ['cancel', ifAny(() => store.cancel(some()))],
    ['retry', ifAny(async () => packets.push(...(await store.retry(some())).packets.map(({ id }) => id)))],
    ['settled', ifAny(() => reader.settled(some()))],
    ['get', ifAny(() => reader.get(random.pick(pool)))],
    [
      'list',
      () =>
        reader.list({
          limit: 50,
          status: ['failed', 'canceled'],
          include: { payload: false, result: false },
        }),
    ],
    ['stats', () => reader.stats()],
  ]
}

function workerMoves({ moves, packets }: Shared, random: Random): NamedMove[] {
  const ledger = workLedger(moves)
  const worker = { id: newId(), types: ['plain'], packetLimit: 50 }
  const inHand: ClaimedTask[] = []
  const took = async (claim: ReturnType<typeof ledger.claim>) => {
    const { tasks, oversized } = await claim
    inHand.push(...tasks)
    if (oversized.length > 0) await ledger.split(oversized, worker.packetLimit)
  }
  const finish = async () => {
    const ended = inHand.splice(0, random.between(1, 2 * bulk))
    const over = [...new Set(ended.map(({ packet }) => packet))].filter(
      (packet) => !inHand.some((task) => task.packet === packet),
    )
    // Like a worker: what nobody here serves is put off before its packet goes.
    if (over.length > 0) await ledger.postpone(worker.id, over)
    await ledger.finish(
      worker.id,
      ended.map((task) => outcomeFor(task, random)),
      over,
    )
  }
  const giveBack = async () => {
    const held = await ledger.held(worker.id)
    const lost = held.filter(() => random.next() < 0.3)
    await ledger.giveBack(worker.id, lost)
  }
  const named = () => Array.from({ length: 10 }, () => packets.at(-random.between(1, 50)) ?? 1)
  return [
    [
      'announce',
      () =>
        moves.run({ name: '', text: announceText }, [worker.id, 'here', 1, '1', queues, ['plain'], 100, 0]),
    ],
    ['search', () => took(ledger.claim(worker, { room: 200, queues, look: 20 }))],
    ['claim', () => took(ledger.claim(worker, { room: 200, packets: named() }))],
    ['finish', finish],
    ['finish', finish],
    ['give back', giveBack],
    ['split', () => ledger.split(named(), random.between(1, 20))],
    ['lapsed', () => ledger.lapsed(worker.id, inHand.slice(0, bulk))],
  ]
}

function batchMoves({ moves, looks, packets }: Shared, random: Random): NamedMove[] {
  const ledger = batchLedger({ moves, looks })
  const care = batchUpkeep({ moves, chores: looks })
  const one = () => random.pick(batchIds)
  const from = batchIds[0]!
  const loadOfNone = () => ({ load: loadOf([]), ids: [] })
  return [
    ['cancel batch', () => ledger.cancelSome(one(), from)],
    [
      'retry batch',
      async () => packets.push(...(await ledger.retrySome(one(), from)).packets.map(({ id }) => id)),
    ],
    ['read batch', () => ledger.read(one())],
    ['close batch', () => ledger.close(one(), lastOfAll)],
    ['touch batch', () => ledger.touch(one())],
    ['settle', () => care.settle(batchIds, loadOfNone)],
    ['recount', () => care.recountOne(0)],
    ['fold batches', () => care.foldCounters()],
  ]
}

function careMoves({ moves, looks }: Shared, random: Random): NamedMove[] {
  const care = upkeep({ moves, looks, chores: looks })
  const box = outbox(moves)
  const registry = workerRegistry(looks)
  const buries = `update workers set last_seen_at = '-infinity' where id = (select id from workers order by random() limit 1)`
  return [
    ['promote', () => care.promote(1_000, random.between(1, 100))],
    ['bury', () => looks.run({ name: '', text: buries })],
    ['sweep', () => care.sweep(leaseMs, true)],
    ['fold counters', () => care.foldCounters()],
    ['sample counts', () => care.sampleCounts()],
    ['keep partitions', () => care.keepPartitions(8)],
    ['retire', () => care.retire(8)],
    ['send', async () => box.markSent((await box.unsent(100, [])).map(({ id }) => id))],
    ['overdue', () => box.overdue(0)],
    ['outstanding', () => box.outstanding(1_000)],
    [
      'resend',
      () => box.resend({ queue: random.pick(queues), priority: 'normal' }, new Date().toISOString()),
    ],
    ['workers', () => registry.list()],
    ['capacities', () => registry.capacities()],
  ]
}

function newTasks(random: Random, wish: Partial<NewTask>): NewTask[] {
  const queue = random.pick(queues)
  const batch = random.next() < 0.5 ? { batchId: random.pick(batchIds) } : {}
  return Array.from({ length: random.between(1, bulk) }, () => ({
    ...{ id: newId(), payload: '1', type: random.next() < 0.05 ? 'strange' : 'plain', queue },
    ...{ priority: 'normal', due: 'now' },
    ...batch,
    ...wish,
  }))
}

function loadOf(tasks: NewTask[]): Load {
  const now = tasks.filter(({ due }) => due === 'now')
  const packet = {
    queue: tasks[0]?.queue ?? 'default',
    priority: 'normal',
    first: 0,
    last: now.length - 1,
  } as const
  return {
    now,
    packets: now.length > 0 ? [packet] : [],
    later: tasks.filter(({ due }) => due !== 'now'),
    batches: [],
  }
}

function onePerKey<T extends { idempotencyKey: string }>(tasks: readonly T[]): T[] {
  return [...new Map(tasks.map((task) => [task.idempotencyKey, task])).values()]
}

function outcomeFor(task: ClaimedTask, random: Random): Outcome {
  const failed = { failure: { name: 'Error', message: 'no luck', attempt: task.attempt }, maxAttempts: 3 }
  const luck = random.next()
  if (luck < 0.5) return { task, status: 'completed', result: '1' }
  if (luck < 0.65) return { task, status: 'failed', ...failed }
  if (luck < 0.85) return { task, status: 'scheduled', ...failed, delayMs: random.between(0, 500) }
  return { task, status: 'pending', crashed: luck > 0.95 }
}
