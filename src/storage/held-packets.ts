import type { PacketId, PacketRef } from '../domain/packet.ts'
import { int4s, int8s, uuids } from './arrays.ts'
import { countBatchMoves } from './batch-counters.ts'
import type { Database } from './connection.ts'
import { countMoves } from './counters.ts'
import { type PacketRow, packetRef } from './packets.ts'
import { rankOf } from './rows.ts'

const readHeld = {
  name: 'packets.held',
  text: 'select id from packets where worker_id = $1 order by id limit 100000',
}

/** The packets that the ledger says this worker holds. */
export async function held({ run }: Database, workerId: string): Promise<PacketId[]> {
  return (await run<[PacketId]>(readHeld, [workerId])).map(([id]) => id)
}

// Of each packet, what is still this worker's (a task of an old packet may meanwhile be run by another), and what
// was never started. Crashed tasks stay together as they were: whether they run apart is the next worker's decision.
// A suspect ran in a process of its own, so that the worker died is no further evidence against it. Crashed tasks
// go first, whatever their priority: they have waited longest, and the guilty one is to be found before others
// of its kind end the next worker.
const putBack = {
  name: 'packets.put-back',
  text: `
  with lost as (
    delete from packets
     where id in (select id from packets where id = any ($2::bigint[]) and worker_id = $1 order by id for update)
    returning id, queue, priority, task_ids
  ), member as materialized (
    select l.id as packet, l.queue, l.priority, u.task_id, u.place
      from lost as l cross join lateral unnest(l.task_ids) with ordinality as u (task_id, place)
  ), locked as materialized (
    select t.id, t.status
      from tasks as t
     where t.id = any (array(select task_id from member))
       and (t.status = 'processing' and t.worker_id = $1 or t.status = 'pending')
     order by t.id
       for update
  ), returned as (
    update tasks as t
       set status = 'pending', worker_id = null, started_at = null, crashes = greatest(t.crashes, $3)
     where t.id = any (array(select id from locked where status = 'processing'))
    returning t.id, t.queue, t.type, t.attempt, t.batch_id
  ), packed as (
    insert into packets (queue, priority, task_ids)
    select m.queue, case $3 when 0 then m.priority else ${rankOf('high')} end, array_agg(m.task_id order by m.place)
      from member as m
      join locked as l on l.id = m.task_id
     group by m.packet, m.queue, m.priority
     order by m.packet
    returning id, queue, priority
  ), counted as (${countMoves('returned', { from: 'processing', to: 'pending' })}
  ), batched as (${countBatchMoves('returned', { from: 'processing', to: 'pending' })}
  )
  select id, queue, priority from packed`,
}

/** Gives packets of a worker back, unspent. `crashed`: the worker died, which makes suspects of what it ran itself. */
export async function giveBack(
  { run }: Database,
  workerId: string,
  { packets, crashed }: { packets: readonly PacketId[]; crashed: boolean },
): Promise<PacketRef[]> {
  return (await run<PacketRow>(putBack, [workerId, int8s(packets), crashed ? 1 : 0])).map(packetRef)
}

const cut = {
  name: 'packets.split',
  text: `
  with whole as (
    delete from packets
     where id in (
       select id from packets
        where id = any ($1::bigint[]) and worker_id is null and cardinality(task_ids) > $2
        order by id
          for update)
    returning id, queue, priority, task_ids
  )
  insert into packets (queue, priority, task_ids)
  select queue, priority, task_ids[piece : piece + $2 - 1]
    from whole cross join lateral generate_series(1, cardinality(task_ids), $2) as piece
   order by id, piece
  returning id, queue, priority`,
}

/** Cuts unclaimed packets that are larger than `limit` into pieces of that size. */
export async function split(
  { run }: Database,
  packets: readonly PacketId[],
  limit: number,
): Promise<PacketRef[]> {
  return (await run<PacketRow>(cut, [int8s(packets), limit])).map(packetRef)
}

// How long a task has been waiting for a handler decides how long it waits next: half as long again, at least a
// second, at most a minute. Growing, and no counter is needed.
const putOff = {
  name: 'packets.postpone',
  text: `
  with mine as materialized (
    select task_ids from packets where id = any ($2::bigint[]) and worker_id = $1 order by id for update
  ), member as materialized (
    select unnest(task_ids) as task_id from mine
  ), locked as materialized (
    select t.id
      from tasks as t
     where t.id = any (array(select task_id from member))
       and t.status = 'pending'
     order by t.id
       for update
  ), postponed as (
    update tasks as t
       set status = 'scheduled'
     where t.id = any (array(select id from locked))
    returning t.id, t.queue, t.type, t.attempt, t.batch_id, now() - coalesce(t.run_at, t.created_at) as waited
  ), due as (
    insert into schedule (task_id, run_at)
    select id, now() + least(interval '1 minute', greatest(interval '1 second', waited / 2)) from postponed
        on conflict (task_id) do update set run_at = excluded.run_at
  ), counted as (${countMoves('postponed', { from: 'pending', to: 'scheduled' })}
  ), batched as (${countBatchMoves('postponed', { from: 'pending', to: 'scheduled' })}
  )
  select`,
}

/** Puts what is pending in this worker's packets, which nobody here can run, off to later. */
export async function postpone(
  { run }: Database,
  workerId: string,
  packets: readonly PacketId[],
): Promise<void> {
  await run(putOff, [workerId, int8s(packets)])
}

const findLapsed = {
  name: 'tasks.lapsed',
  text: `
  select o.id, o.attempt
    from unnest($2::uuid[], $3::int[]) as o (id, attempt)
    left join tasks as t on t.id = o.id
   where t.id is null
      or t.attempt <> o.attempt
      or t.status <> 'processing'
      or t.worker_id is distinct from $1`,
}

/** Of these attempts, those that are not this worker's any more: canceled, or put back and started elsewhere. */
export async function lapsed(
  { run }: Database,
  workerId: string,
  attempts: readonly { id: string; attempt: number }[],
): Promise<{ id: string; attempt: number }[]> {
  const ids = uuids(attempts.map((attempt) => attempt.id))
  const numbers = int4s(attempts.map((attempt) => attempt.attempt))
  const rows = await run<[id: string, attempt: number]>(findLapsed, [workerId, ids, numbers])
  return rows.map(([id, attempt]) => ({ id, attempt }))
}
