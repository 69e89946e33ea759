import { countBatchMoves } from './batch-counters.ts'
import { countMoves } from './counters.ts'

/** What may start early to make up for a look that came late; so much of a second may start together. */
export const slackSeconds = 0.1
const packetSize = 100

export const admitParked = {
  name: 'parked.admit',
  text: admission(`
  ), known as materialized (
    select p.*, task_id is not null as is_pending from picked as p`),
}

// Where the last round met tasks that were canceled while they were parked, which hold slots until their packet goes.
export const admitPending = {
  name: 'parked.admit-pending',
  text: admission(`
  ), pending as materialized (
    select id from tasks where id = any (array(select task_id from picked)) and status = 'pending'
  ), known as materialized (
    select p.*, p.task_id in (select id from pending) is true as is_pending from picked as p`),
}

// Lanes take turns, the one served longest ago first, and each has an even share of what may start. A lane's own room
// is what its limits leave; tasks without a key have no such limits. Counts are taken anew each time from what is admitted, so
// nothing can drift. Rows are found again by their place and not by a join, whose plan would be made for a small table:
// only who holds the queue's lock moves them.
//
// $1 queue, $2 worker, $3 types, $4 want, $5 key concurrency, $6 key rate, $7 how far to look beyond what may start
function admission(known: string): string {
  return `
  with lane as materialized (
    select ctid as lane_row, key, ready_at, greatest(ready_at, clock_timestamp() - interval '${slackSeconds} seconds') as base,
           case when key <> '' and $5::int is not null
                then (select coalesce(sum(tasks), 0)::int from admitted as a where a.queue = $1 and a.key = l.key) end as running
      from lanes as l
     where queue = $1
       and not is_full
       and ready_at <= clock_timestamp()
     order by ready_at
     limit $4
  ), share as materialized (
    select ceil($4::float8 / greatest(1, count(*)))::int as tasks, ceil($7::float8 / greatest(1, count(*)))::int as extra
      from lane
  ), allowed as materialized (
    select l.*, s.extra,
           greatest(0, least(s.tasks, $5::int - running,
             case when key <> '' then floor(extract(epoch from clock_timestamp() - base) * $6::float8)::int + 1 end)) as room
      from lane as l cross join share as s
  ), picked as materialized (
    select a.*, p.priority, p.task_id, p.parked_row
      from allowed as a
      left join lateral (
        select priority, task_id, ctid as parked_row from parked
         where queue = $1 and key = a.key
         order by priority desc, task_id
         limit a.room + a.extra) as p on true
${known}
  ), placed as materialized (
    select k.*, is_pending and row_number() over (partition by key, is_pending order by priority desc, task_id) <= room as may_start,
           row_number() over (partition by key, is_pending order by priority desc, task_id) as turn
      from known as k
  ), ranked as materialized (
    select p.*, may_start and row_number() over (order by may_start desc, turn, ready_at) <= $4 as is_chosen
      from placed as p
  ), chosen as materialized (
    select key, priority, task_id, row_number() over (partition by priority order by ready_at, key, turn) as place
      from ranked
     where is_chosen
  ), packet as materialized (
    select nextval('packets_id_seq') as id, priority, array_agg(task_id order by place) as task_ids,
           array_agg(key order by place) as keys
      from chosen
     group by priority, (place - 1) / ${packetSize}
  ), packed as (
    insert into packets (id, queue, priority, task_ids, worker_id, claimed_at)
    overriding system value
    select id, $1, priority, task_ids, $2, now() from packet
  ), noted as (
    insert into admitted (queue, key, packet_id, tasks)
    select $1, u.key, p.id, count(*) from packet as p cross join lateral unnest(p.keys) as u (key) group by u.key, p.id
  ), unparked as (
    delete from parked
     where ctid = any (array(select parked_row from ranked where is_chosen or task_id is not null and not is_pending))
  ), served as (
    select key, min(ready_at) as ready_at, min(base) as base, min(running) as running,
           count(*) filter (where is_chosen) as tasks
      from ranked
     group by key
  ), turned as (
    insert into lanes as l (queue, key, ready_at, is_full)
    select $1, key,
           case when key <> '' and $6::float8 is not null then base + tasks / $6::float8 * interval '1 second'
                when tasks > 0 then clock_timestamp()
                else ready_at end,
           running + tasks >= $5::int is true
      from served
     where tasks > 0
        or running >= $5::int
        on conflict (queue, key) do update set ready_at = excluded.ready_at, is_full = excluded.is_full
  ), emptied as (
    delete from lanes
     where ctid = any (array(select lane_row from ranked where task_id is null and room > 0))
  ), started as (
    update tasks as t
       set status = 'processing', attempt = t.attempt + 1, worker_id = $2, started_at = now()
     where t.id = any (array(select task_id from chosen))
       and t.status = 'pending'
       and t.type = any ($3)
    returning t.id, t.type, t.queue, t.payload, t.attempt, t.failures, t.crashes, t.max_attempts, t.timeout_ms,
              t.batch_id, coalesce(t.run_at, t.created_at) as due_at
  ), counted as (${countMoves('started', { from: 'pending', to: 'processing' })}
  ), batched as (${countBatchMoves('started', { from: 'pending', to: 'processing' })}
  )
  select 'started', null::bigint, attempt, null::uuid[], id, type, payload, failures, crashes, max_attempts, timeout_ms,
         null::text[]
    from started
  union all
  select 'taken', id, null, task_ids, null, $1, null, null, null, null,
         (select coalesce(extract(epoch from now() - min(due_at)) * 1000, 0)::bigint from started where id = any (p.task_ids)), keys
    from packet as p
  union all
  select 'gone', count(*), null, null, null, null, null, null, null, null, null, null
    from ranked where task_id is not null and not is_pending`
}
