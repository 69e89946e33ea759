import type { Run } from './connection.ts'
import { rankOf } from './rows.ts'

/** Packets of each priority, from either end, in one round. */
const packetsInOne = 10

/** So small that its row is kept in one piece. */
export const parcelSize = 50

// From both ends: what came just now must not wait until a million before it are sorted by their keys. A suspect of
// a crash keeps going before all others. Only what is pending is parked: the rest has been canceled or is in another
// packet, too. Under the lock of the queue, like everything that touches parked and lanes.
const parkPackets = {
  name: 'parcels.park',
  text: `
  with ends as materialized (
    select e.id
      from (values (${rankOf('high')}::smallint), (${rankOf('normal')}), (${rankOf('low')})) as p (priority)
     cross join lateral (
       (select id from packets
         where queue = $1 and worker_id is null and priority = p.priority order by id limit ${packetsInOne})
       union all
       (select id from packets
         where queue = $1 and worker_id is null and priority = p.priority order by id desc limit ${packetsInOne})
     ) as e
  ), free as materialized (
    select id from packets where id = any (array(select id from ends)) and worker_id is null order by id for update skip locked
  ), opened as (
    delete from packets where id = any (array(select id from free)) returning task_ids
  ), member as materialized (
    select t.id, coalesce(t.key, '') as key,
           case t.crashes when 0 then t.priority else ${rankOf('high')} end as priority
      from tasks as t
     where t.id = any (array(select unnest(task_ids) from opened))
       and t.status = 'pending'
  ), placed as (
    select id, key, priority, (row_number() over (partition by key, priority order by id) - 1) / ${parcelSize} as parcel
      from member
  ), added as (
    insert into parcels (queue, key, priority, first_id, task_ids)
    select $1, key, priority, (array_agg(id))[1], array_agg(id) from placed group by key, priority, parcel
  ), lane as (
    insert into lanes (queue, key, ready_at)
    select $1, key, clock_timestamp() from member group by key
        on conflict do nothing
  )
  select count(*) from opened`,
}

/** Takes tasks of a queue out of some unclaimed packets. Answers how many packets. */
export async function park(run: Run, queue: string): Promise<number> {
  return (await run<[number]>(parkPackets, [queue]))[0]![0]
}
