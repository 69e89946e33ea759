import { packetLimit } from '../../src/domain/packet.ts'

const packetSize = packetLimit(1000)

/** Tasks that are pending, or due in the next hours. $1 status, $2 how many, $3 kinds as JSON. */
export const waitingTasks = {
  name: 'seed.waiting-tasks',
  text: `
  with kind as materialized (
    select * from json_to_recordset($3::json) as k (type text, queue text, low float8, high float8, payload text)
  ), drawn as materialized (
    select n, random() as a, random() as e from generate_series(1, $2::int) as n
  ), made as materialized (
    select uuidv7(at - clock_timestamp()) as id, at as created_at, k.type, k.queue, (d.e * 1e6)::int as number, k.payload,
           case when $1 = 'scheduled' then now() + (1 + 6 * d.e) * interval '1 hour' end as run_at
      from drawn as d
      join kind as k on d.a >= k.low and d.a < k.high
     cross join lateral (select now() - (1 - d.n::float8 / $2) * interval '90 seconds' as at) as t
  ), stored as (
    insert into tasks (id, created_at, run_at, status, priority, type, queue, payload)
    select id, created_at, run_at, $1::task_status, 1, type, queue, replace(payload, '{n}', number::text)::json from made order by id
  ), planned as (
    insert into schedule (task_id, run_at) select id, run_at from made where $1 = 'scheduled'
  ), packed as (
    insert into packets (queue, priority, task_ids)
    select queue, 1, array_agg(id order by id)
      from (select id, queue, row_number() over (partition by queue order by id) - 1 as place from made where $1 = 'pending') as p
     group by queue, place / ${packetSize}
     order by min(place)
  )
  insert into counters as c (slot, queue, type, status, n)
  select pg_backend_pid(), queue, type, $1::task_status, count(*) from made group by queue, type order by queue, type
      on conflict (slot, queue, type, status) do update set n = c.n + excluded.n`,
}
