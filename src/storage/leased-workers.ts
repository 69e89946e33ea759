import type { Beat, LeasedWorker, LeasedWorkers, OpenAttempt, Trace } from '../domain/leased-worker.ts'
import type { PacketId } from '../domain/packet.ts'
import type { AttemptRef } from '../domain/ports.ts'
import type { Status } from '../domain/task.ts'
import { int4s, texts, uuids } from './arrays.ts'
import type { Database } from './connection.ts'
import { withWaitingPlaces } from './packets.ts'

type Freed = (places: readonly { queue: string; key: string }[]) => void

/** Workers that speak HTTP, bound to a database. `freed` hears where fewer run within limits than before. */
export function leasedWorkers(database: Database, freed: Freed = () => {}): LeasedWorkers {
  return {
    register: (worker) => register(database, worker),
    beat: (workerId) => beat(database, workerId),
    leave: async (workerId) => void (await database.run(forget, [workerId])),
    open: (workerId, attempts) => open(database, workerId, attempts),
    unnamed: (workerId, named, claimedBeforeMs) => unnamed(database, workerId, { named, claimedBeforeMs }),
    traces: (workerId, attempts) => traces(database, workerId, attempts),
    heldFor: async (workerId, claimedBeforeMs) =>
      (await database.run<[PacketId]>(readHeldFor, [workerId, claimedBeforeMs])).map(([id]) => id),
    async settle(workerId, { among, released = [] }) {
      const values = [workerId, among === undefined, uuids(among ?? []), uuids(released)]
      const rows = await database.run<[queue: string, key: string]>(settle, values)
      freed(rows.map(([queue, key]) => ({ queue, key })))
    },
    waitingQueues: async () => (await database.run<[string]>(readWaitingQueues)).map(([queue]) => queue),
  }
}

const enroll = {
  name: 'workers.register',
  text: `
  insert into workers (id, host, pid, version, queues, types, concurrency, lease_ms)
  values ($1, $2, $3, $4, $5::text[], $6::text[], $7, $8)
      on conflict (id) do nothing`,
}

async function register({ run }: Database, worker: LeasedWorker): Promise<void> {
  const { id, host, pid, version, queues, types, concurrency, leaseMs } = worker
  await run(enroll, [id, host, pid, version, texts(queues), texts(types), concurrency, leaseMs])
}

const forget = {
  name: 'workers.forget-leased',
  text: 'delete from workers where id = $1 and lease_ms is not null',
}

const renew = {
  name: 'workers.beat',
  text: `
  with hand as materialized (
    select count(*) as tasks, count(*) filter (where crashes > 0) as suspects
      from tasks
     where id = any (array(select unnest(task_ids) from packets where worker_id = $1))
       and status = 'processing'
       and worker_id = $1
  )
  update workers as w
     set last_seen_at = now(), running = h.tasks
    from hand as h
   where w.id = $1
     and w.lease_ms is not null
     and w.last_seen_at > '-infinity'
  returning w.queues, w.types, w.concurrency, w.lease_ms, h.tasks, h.suspects`,
}

type BeatRow = [string[], string[], number, number, number, number]

async function beat({ run }: Database, workerId: string): Promise<Beat | undefined> {
  const [row] = await run<BeatRow>(renew, [workerId])
  if (!row) return undefined
  const [queues, types, concurrency, leaseMs, inHand, suspects] = row
  return { queues, types, concurrency, leaseMs, inHand, suspects }
}

const openAttempt = `t.id, t.queue, t.type, t.attempt, t.failures, t.crashes, t.max_attempts,
         extract(epoch from now() - t.started_at)::float8 * 1000`

const readOpen = {
  name: 'tasks.open-attempts',
  text: `
  select ${openAttempt}
    from unnest($2::uuid[], $3::int[]) as o (id, attempt)
    join tasks as t on t.id = o.id
   where t.attempt = o.attempt
     and t.status = 'processing'
     and t.worker_id = $1`,
}

async function open({ run }: Database, workerId: string, attempts: readonly AttemptRef[]) {
  return (await run<OpenRow>(readOpen, [workerId, ...columns(attempts)])).map(toOpen)
}

// Of a claim whose answer never arrived the worker knows nothing.
const readUnnamed = {
  name: 'tasks.unnamed-attempts',
  text: `
  select ${openAttempt}
    from tasks as t
   where t.id = any (array(
           select unnest(task_ids) from packets
            where worker_id = $1 and claimed_at < now() - $4 * interval '1 millisecond'))
     and t.status = 'processing'
     and t.worker_id = $1
     and not exists (select from unnest($2::uuid[], $3::int[]) as o (id, attempt)
                      where o.id = t.id and o.attempt = t.attempt)`,
}

type Unnamed = { named: readonly AttemptRef[]; claimedBeforeMs: number }

async function unnamed({ run }: Database, workerId: string, { named, claimedBeforeMs }: Unnamed) {
  return (await run<OpenRow>(readUnnamed, [workerId, ...columns(named), claimedBeforeMs])).map(toOpen)
}

type OpenRow = [
  id: string,
  queue: string,
  type: string,
  attempt: number,
  failures: number,
  crashes: number,
  maxAttempts: number | null,
  ranMs: number,
]

function toOpen([id, queue, type, attempt, failures, crashes, maxAttempts, ranMs]: OpenRow): OpenAttempt {
  return { id, queue, type, attempt, failures, crashes, maxAttempts, ranMs }
}

// A failure stays in the history of attempts, whatever has become of the task since.
const readTraces = {
  name: 'tasks.traces',
  text: `
  select o.id, o.attempt, t.status,
         t.status = 'completed' and t.attempt = o.attempt and t.worker_id = $1
           or exists (select from attempts as a
                       where a.task_id = o.id and a.attempt = o.attempt and a.worker_id = $1),
         t.status = 'processing' and t.attempt = o.attempt and t.worker_id = $1
    from unnest($2::uuid[], $3::int[]) as o (id, attempt)
    join tasks as t on t.id = o.id`,
}

type TraceRow = [
  id: string,
  attempt: number,
  status: Status,
  recorded: boolean | null,
  isOpen: boolean | null,
]

async function traces({ run }: Database, workerId: string, attempts: readonly AttemptRef[]) {
  const rows = await run<TraceRow>(readTraces, [workerId, ...columns(attempts)])
  return rows.map(
    ([id, attempt, status, recorded, isOpen]): Trace => ({
      id,
      attempt,
      status,
      recorded: recorded === true,
      isOpen: isOpen === true,
    }),
  )
}

const readHeldFor = {
  name: 'packets.held-for',
  text: `
  select id from packets where worker_id = $1 and claimed_at < now() - $2 * interval '1 millisecond' order by id`,
}

// What is pending in a packet has perhaps no other: a claim of the same worker is about to put it off. What runs within
// limits is counted anew, and never counted higher: nothing that is in a packet starts again in it. By place and not by a
// join, whose plan would be made for a small table; a row that was moved meanwhile is left to the next time.
const settle = {
  name: 'packets.settle-leased',
  text: `
  with held as materialized (
    select id, queue, task_ids
      from packets
     where worker_id = $1
       and ($2 or task_ids && $3::uuid[])
     order by id
       for update
  ), busy as materialized (
    select id
      from tasks
     where id = any (array(select unnest(task_ids) from held))
       and (status = 'processing' and worker_id = $1 or status = 'pending' and id <> all ($4::uuid[]))
  ), counting as materialized (
    select a.*
      from held as h
     cross join lateral (
       select ctid as row_at, queue, key, packet_id, tasks from admitted
        where queue = h.queue and packet_id = h.id
       offset 0) as a
  ), running as materialized (
    select h.id as packet_id, coalesce(t.key, '') as key, count(*)::int as tasks
      from held as h
     cross join lateral (
       select key from tasks where id = any (h.task_ids) and status = 'processing' and worker_id = $1) as t
     where h.id = any (array(select packet_id from counting))
     group by 1, 2
  ), fewer as materialized (
    select c.row_at, c.queue, c.key, coalesce(r.tasks, 0) as tasks
      from counting as c
      left join running as r on r.packet_id = c.packet_id and r.key = c.key
     where c.tasks > coalesce(r.tasks, 0)
  ), lowered as (
    update admitted as a
       set tasks = (select f.tasks from fewer as f where f.row_at = a.ctid)
     where a.ctid = any (array(select row_at from fewer where tasks > 0))
  ), ended as (
    delete from admitted where ctid = any (array(select row_at from fewer where tasks = 0))
  ), gone as (
    delete from packets
     where id in (select id from held where not task_ids && array(select id from busy))
  )
  select distinct queue, key from fewer`,
}

// Of those that are paused nobody may have any.
const readWaitingQueues = {
  name: 'packets.waiting-queues',
  text: `${withWaitingPlaces}
  select distinct queue
    from place
   where queue <> all (array(select name from queues where paused_at is not null))`,
}

function columns(attempts: readonly AttemptRef[]): unknown[] {
  return [uuids(attempts.map(({ id }) => id)), int4s(attempts.map(({ attempt }) => attempt))]
}
