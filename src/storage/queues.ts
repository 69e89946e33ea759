import type { QueueGate, QueueLimits, QueueSettings, QueueStore } from '../domain/queue.ts'
import type { Database, Run, Statement } from './connection.ts'

/** The settings of queues. */
export function queueStore(database: Database): QueueStore {
  return {
    settings: () => settings(database),
    change: (queue, changes) => change(database, queue, changes),
    pause: (queue) => apply(database, pauseQueue, queue),
    resume: (queue) => apply(database, resumeQueue, queue),
    gates: () => gates(database),
  }
}

const readSettings = {
  name: 'queues.read',
  text: `
  select name, paused_at, concurrency, rate_per_second, key_concurrency, key_rate_per_second from queues order by name`,
}

type SettingsRow = [
  queue: string,
  pausedAt: Date | null,
  concurrency: number | null,
  ratePerSecond: number | null,
  keyConcurrency: number | null,
  keyRatePerSecond: number | null,
]

async function settings({ run }: Database): Promise<Map<string, QueueSettings>> {
  const rows = await run<SettingsRow>(readSettings)
  return new Map(
    rows.map(([queue, pausedAt, concurrency, ratePerSecond, keyConcurrency, keyRatePerSecond]) => [
      queue,
      {
        pausedAt: pausedAt?.toISOString() ?? null,
        concurrency,
        ratePerSecond,
        keyConcurrency,
        keyRatePerSecond,
      },
    ]),
  )
}

// Which limits are named, and their values, null for none. The others stay as they are. What a slower rate had pushed
// far into the future is forgotten.
const changeLimits = {
  name: 'queues.change',
  text: `
  insert into queues as q (name, concurrency, rate_per_second, key_concurrency, key_rate_per_second)
  values ($1, $3::int, $4::float8, $5::int, $6::float8)
      on conflict (name) do update
     set concurrency = case when 'concurrency' = any ($2::text[]) then excluded.concurrency else q.concurrency end,
         rate_per_second = case when 'ratePerSecond' = any ($2::text[]) then excluded.rate_per_second else q.rate_per_second end,
         key_concurrency = case when 'keyConcurrency' = any ($2::text[]) then excluded.key_concurrency else q.key_concurrency end,
         key_rate_per_second = case when 'keyRatePerSecond' = any ($2::text[]) then excluded.key_rate_per_second
                                    else q.key_rate_per_second end,
         due_at = least(q.due_at, now() + interval '1 second')`,
}

async function change(database: Database, queue: string, changes: Partial<QueueLimits>): Promise<void> {
  const { concurrency, ratePerSecond, keyConcurrency, keyRatePerSecond } = changes
  const limits = [concurrency, ratePerSecond, keyConcurrency, keyRatePerSecond].map((limit) => limit ?? null)
  await database.transaction(async (run) => {
    await run(changeLimits, [queue, Object.keys(changes), ...limits])
    if (keyRatePerSecond !== undefined) await run(hastenLanes, [queue])
  })
}

// As far as a slower rate of keys had put them off. Under the lock of the row, like all that touches lanes.
const hastenLanes = {
  name: 'lanes.hasten',
  text: `
  update lanes
     set ready_at = now() + interval '1 second'
   where queue = $1
     and ready_at > now() + interval '1 second'`,
}

// The row's lock is the queue's gate, so nobody passes it while this is written, nor after.
const pauseQueue = {
  name: 'queues.pause',
  text: `
  insert into queues as q (name, paused_at) values ($1, now())
      on conflict (name) do update set paused_at = coalesce(q.paused_at, excluded.paused_at)`,
}

const resumeQueue = {
  name: 'queues.resume',
  text: 'update queues set paused_at = null where name = $1 and paused_at is not null',
}

async function apply({ run }: Database, statement: Statement, queue: string): Promise<void> {
  await run(statement, [queue])
}

// A queue whose limits were taken away keeps its gate until nothing is parked.
const readGates = {
  name: 'queues.gates',
  text: `
  select name, paused_at is not null
    from queues as q
   where paused_at is not null
      or coalesce(concurrency, rate_per_second, key_concurrency, key_rate_per_second) is not null
      or exists (select from lanes as l where l.queue = q.name)`,
}

async function gates({ run }: Database): Promise<QueueGate[]> {
  const rows = await run<[queue: string, isPaused: boolean]>(readGates)
  return rows.map(([queue, isPaused]) => ({ queue, isPaused }))
}

// Of the first in line in each lane. With very many lanes, of those that wait longest for their turn.
const readOldestParked = {
  name: 'parcels.oldest',
  text: `
  select l.queue, extract(epoch from now() - min(coalesce(t.run_at, t.created_at)))::float8 * 1000
    from (select queue, key from lanes order by ready_at limit 1000) as l
   cross join lateral (
     select task_ids[1] as task_id from parcels
      where queue = l.queue and key = l.key
      order by priority desc, first_id
      limit 1) as first
    join tasks as t on t.id = first.task_id
   where t.status = 'pending'
   group by l.queue`,
}

/** How long the oldest parked task of each queue has been waiting. */
export async function oldestParked(run: Run): Promise<[queue: string, ageMs: number][]> {
  return run<[string, number]>(readOldestParked)
}
