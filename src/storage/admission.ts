import { countBatchMoves } from './batch-counters.ts'
import { countMoves } from './counters.ts'
import { parcelSize } from './parking.ts'

/** What may start early to make up for a look that came late; so much of a second may start together. */
export const slackSeconds = 0.1

export const admitParked = {
  name: 'parcels.admit',
  text: admission(`
  ), reached as materialized (
    select p.*, greatest(0, least(size, room - before)) as wanted from parcel as p
  ), shared as materialized (
    select r.*, coalesce(sum(wanted) over (order by turn, before rows between unbounded preceding and 1 preceding), 0)::int as ahead
      from reached as r
  ), taken as materialized (
    select s.*, task_ids[1 : least(wanted, $4 - ahead)] as chosen, task_ids[greatest(0, least(wanted, $4 - ahead)) + 1 :] as rest,
           0 as gone
      from shared as s`),
}

// Where the last round met tasks that were canceled while they were parked, which hold slots until their packet goes: each
// is looked at before it is chosen, and some beyond those that may start.
export const admitPending = {
  name: 'parcels.admit-pending',
  text: admission(`
  ), opened as materialized (
    select p.turn, p.before, p.room, u.id, u.place, p.before + u.place <= p.room + p.extra as is_seen
      from parcel as p
     cross join lateral unnest(p.task_ids) with ordinality as u (id, place)
  ), pending as materialized (
    select id from tasks where id = any (array(select id from opened where is_seen)) and status = 'pending'
  ), known as materialized (
    select o.*, is_seen and id in (select id from pending) as is_pending from opened as o
  ), placed as materialized (
    select k.*, is_pending and row_number() over (partition by turn, is_pending order by before, place) <= room as may_start
      from known as k
  ), ranked as materialized (
    select p.*, may_start and row_number() over (order by may_start desc, turn, before, place) <= $4 as is_chosen
      from placed as p
  ), sorted as materialized (
    select turn, before,
           coalesce(array_agg(id order by place) filter (where is_chosen), '{}') as chosen,
           coalesce(array_agg(id order by place) filter (where not is_chosen and (is_pending or not is_seen)), '{}') as rest,
           count(*) filter (where is_seen and not is_pending) as gone
      from ranked
     group by turn, before
  ), taken as materialized (
    select p.*, coalesce(sum(cardinality(s.chosen)) over (order by p.turn, p.before rows between unbounded preceding and 1 preceding), 0)::int as ahead,
           coalesce(s.chosen, '{}') as chosen, coalesce(s.rest, '{}') as rest, coalesce(s.gone, 0) as gone
      from parcel as p
      left join sorted as s on s.turn = p.turn and s.before = p.before`),
}

// Lanes take turns, the one served longest ago first, and each has an even share of what may start. A lane's own room
// is what its limits leave; tasks without a key have no such limits. Counts are taken anew each time from what is admitted, so
// nothing can drift. A lane's tasks are taken from the front of its parcels, and a parcel's stay together in a packet. Rows
// are found again by their place, since only who holds the queue's lock moves them.
//
// $1 queue, $2 worker, $3 types, $4 want, $5 key concurrency, $6 key rate, $7 how far to look beyond what may start
function admission(taken: string): string {
  return `
  with lane as materialized (
    select ctid as lane_row, key, ready_at, row_number() over (order by ready_at) as turn,
           greatest(ready_at, clock_timestamp() - interval '${slackSeconds} seconds') as base,
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
  ), parcel as materialized (
    select a.*, p.parcel_row, p.priority, p.task_ids, coalesce(p.size, 0) as size, coalesce(p.before, 0)::int as before
      from allowed as a
      left join lateral (
        select *, coalesce(sum(size) over (order by priority desc, first_id, parcel_row
                                            rows between unbounded preceding and 1 preceding), 0) as before
          from (select ctid as parcel_row, priority, first_id, task_ids, cardinality(task_ids) as size
                  from parcels
                 where queue = $1 and key = a.key
                 order by priority desc, first_id
                 limit a.room + a.extra) as first) as p on p.before < a.room + a.extra
${taken}
  ), packet as materialized (
    select nextval('packets_id_seq') as id, priority, task_ids, keys
      from (select t.priority, array_agg(u.id) as task_ids, array_agg(t.key) as keys
              from taken as t cross join lateral unnest(t.chosen) as u (id)
             group by t.priority, t.ahead / ${parcelSize}) as p
  ), packed as (
    insert into packets (id, queue, priority, task_ids, worker_id, claimed_at)
    overriding system value
    select id, $1, priority, task_ids, $2, now() from packet
  ), noted as (
    insert into admitted (queue, key, packet_id, tasks)
    select $1, u.key, p.id, count(*) from packet as p cross join lateral unnest(p.keys) as u (key) group by u.key, p.id
  ), shortened as (
    update parcels as p
       set task_ids = t.rest
      from taken as t
     where p.ctid = t.parcel_row
       and t.rest <> '{}'
       and cardinality(t.rest) < t.size
  ), opened_whole as (
    delete from parcels where ctid = any (array(select parcel_row from taken where rest = '{}' and size > 0))
  ), served as materialized (
    select lane_row, min(key) as key, min(ready_at) as ready_at, min(base) as base, min(running) as running, coalesce(sum(cardinality(chosen)), 0)::int as tasks
      from taken
     group by lane_row
  ), turned as (
    update lanes as l
       set ready_at = case when s.key <> '' and $6::float8 is not null then s.base + s.tasks / $6::float8 * interval '1 second'
                           when s.tasks > 0 then clock_timestamp()
                           else s.ready_at end,
           is_full = s.running + s.tasks >= $5::int is true
      from served as s
     where l.ctid = s.lane_row
       and (s.tasks > 0 or s.running >= $5::int)
  ), emptied as (
    delete from lanes where ctid = any (array(select lane_row from taken where size = 0 and room > 0))
  ), started as (
    update tasks as t
       set status = 'processing', attempt = t.attempt + 1, worker_id = $2, started_at = now()
     where t.id = any (array(select unnest(task_ids) from packet))
       and t.status = 'pending'
       and t.type = any ($3)
    returning t.id, t.type, t.queue, t.payload, t.attempt, t.failures, t.crashes, t.max_attempts, t.timeout_ms,
              t.batch_id, coalesce(t.run_at, t.created_at) as due_at
  ), counted as (${countMoves('started', { from: 'pending', to: 'processing' })}
  ), batched as (${countBatchMoves('started', { from: 'pending', to: 'processing' })}
  )
  select 'started', null::bigint, attempt, null::uuid[], id, type, payload, failures, crashes, max_attempts, timeout_ms,
         null::text[], (extract(epoch from now() - due_at) * 1000)::bigint
    from started
  union all
  select 'taken', id, null, task_ids, null, $1, null, null, null, null, null, keys, null from packet
  union all
  select 'gone', sum(gone)::bigint, null, null, null, null, null, null, null, null, null, null, null from taken having sum(gone) > 0`
}
