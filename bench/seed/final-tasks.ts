/**
 * Tasks that came evenly within a span of time and have ended since, with all that stands beside them.
 *
 * $1 from, $2 to, $3 how many, $4 kinds as JSON, $5 how many of them are in batches, $6 by how much tasks wait,
 * $7 also by the minute, $8 how many pending, $9 how many in a batch
 */
export const finalTasks = {
  name: 'seed.final-tasks',
  text: `
  with kind as materialized (
    select * from json_to_recordset($4::json)
        as k (type text, queue text, low float8, high float8, run_ms float8, fail_share float8, payload text, result text, errors json)
  ), batch as materialized (
    select b, $1::timestamptz + ($2::timestamptz - $1) * (b * $9::float8 / $3) as at,
           uuidv7($1::timestamptz + ($2::timestamptz - $1) * (b * $9::float8 / $3) - clock_timestamp()) as batch_id
      from generate_series(0, $5::int / $9::int - 1) as b
  ), drawn as materialized (
    select n, random() as a, random() as b, random() as c, random() as d, random() as e from generate_series(1, $3::int) as n
  ), timed as materialized (
    select d.*, t.batch_id, coalesce(t.at, $1::timestamptz + ($2::timestamptz - $1) * ((d.n - 1)::float8 / $3)) as created_at
      from drawn as d left join batch as t on t.b = (d.n - 1) / $9::int
  ), made as materialized (
    select uuidv7(t.created_at - clock_timestamp()) as id, t.batch_id, t.created_at, k.type, k.queue, (t.e * 1e6)::int as number,
           (case when t.b < k.fail_share then 'failed' when t.b < k.fail_share + 0.003 then 'canceled' else 'completed' end)::task_status as status,
           3.0 - ln(1 - t.c) * $6::float8 as waited_ms, 1.0 - ln(1 - t.d) * k.run_ms as ran_ms,
           t.b > 0.97 as is_second, k.payload, k.result,
           k.errors -> (floor(power(t.e, 2) * json_array_length(k.errors)))::int as error
      from timed as t join kind as k on t.a >= k.low and t.a < k.high
  ), begun as materialized (
    select m.*, replace(m.error ->> 'json', '{n}', (number % 1000)::text)::json as failure,
           created_at + (waited_ms + case when status = 'failed' then 2 * ran_ms + 3000 when is_second then ran_ms + 1000 else 0 end)
             * interval '1 ms' as started_at
      from made as m
  ), stored as (
    insert into tasks (id, batch_id, worker_id, created_at, started_at, finished_at, status, attempt, failures, priority, type, queue, key,
                       payload, result, error)
    select id, batch_id, '01999999-0000-7000-8000-000000000001', created_at, started_at, started_at + ran_ms * interval '1 ms', status,
           case when status = 'failed' then 3 when is_second then 2 else 1 end,
           case when status = 'failed' then 3 when is_second then 1 else 0 end, 1, type, queue,
           case when queue = 'webhooks' then 'endpoint-' || number % 40 end,
           replace(payload, '{n}', number::text)::json,
           case when status = 'completed' then replace(result, '{n}', number::text)::json end,
           case when status = 'failed' then failure end
      from begun
     order by id
  ), put_aside as (
    insert into stopped (status, task_id, fingerprint, stopped_at)
    select status, id, case when status = 'failed' then error ->> 'fingerprint' end, started_at + ran_ms * interval '1 ms'
      from begun
     where status <> 'completed'
     order by status, id
  ), tried as (
    insert into attempts (task_id, attempt, error, started_at, finished_at, worker_id)
    select id, attempt, failure, created_at + ((attempt - 1) * (ran_ms + 1000) + waited_ms) * interval '1 ms',
           created_at + (attempt * ran_ms + (attempt - 1) * 1000 + waited_ms) * interval '1 ms', '01999999-0000-7000-8000-000000000001'
      from begun cross join (values (1), (2)) as earlier (attempt)
     where status = 'failed' or is_second and status = 'completed' and attempt = 1
  ), counted as (
    insert into counters as c (slot, queue, type, status, n)
    select pg_backend_pid(), queue, type, status, count(*) from made group by queue, type, status order by queue, type, status
        on conflict (slot, queue, type, status) do update set n = c.n + excluded.n
  ), together as (
    insert into batches (id, total, first_id, last_id, created_at, touched_at, counted_at, finished_at)
    select batch_id, count(*), (array_agg(id order by id))[1], (array_agg(id order by id desc))[1], min(created_at), min(created_at),
           max(created_at), max(started_at + ran_ms * interval '1 ms')
      from begun
     where batch_id is not null
     group by batch_id
  ), progress as (
    insert into batch_counters (batch_id, slot, status, n)
    select batch_id, 0, status, count(*) from made where batch_id is not null group by batch_id, status
  ), measured as materialized (
    select coalesce(queue, '') as queue, coalesce(type, '') as type, what, bucket, count(*) as n
      from begun
     cross join lateral (values ('waiting', waited_ms), ('running', ran_ms)) as v (what, ms)
     cross join lateral (select case when ms <= 1 then 0 else least(120, ceil(log(2, ms::numeric) * 4)::int) end as bucket) as b
     group by grouping sets ((queue, type, what, bucket), (queue, what, bucket), (type, what, bucket), (what, bucket))
  ), filled as materialized (
    select g.queue, g.type, g.what, array_agg(coalesce(m.n, 0) order by series.bucket) as buckets
      from (select distinct queue, type, what from measured) as g
     cross join generate_series(0, (select max(bucket) from measured)) as series (bucket)
      left join measured as m on (m.queue, m.type, m.what, m.bucket) = (g.queue, g.type, g.what, series.bucket)
     group by g.queue, g.type, g.what
  ), summed as materialized (
    select coalesce(queue, '') as queue, coalesce(type, '') as type, count(*) as submitted,
           count(*) filter (where status = 'completed') as completed, count(*) filter (where status = 'failed') as failed,
           count(*) filter (where status = 'canceled') as canceled
      from made
     group by grouping sets ((queue, type), (queue), (type), ())
  )
  insert into rollups as r (minutes, at, queue, type, submitted, completed, failed, canceled, pending, processing, oldest_pending_ms, waiting, running)
  select w.minutes, date_bin(w.minutes * interval '1 minute', $1, 'epoch'), s.queue, s.type, submitted, completed, failed, canceled,
         ($8::int * submitted / $3)::bigint, (submitted / extract(epoch from $2::timestamptz - $1) / 2)::bigint, ($6::float8 * 4)::bigint,
         a.buckets, b.buckets
    from summed as s
    join filled as a on (a.queue, a.type, a.what) = (s.queue, s.type, 'waiting')
    join filled as b on (b.queue, b.type, b.what) = (s.queue, s.type, 'running')
   cross join (values (1::smallint), (15::smallint)) as w (minutes)
   where w.minutes = 15 or $7::boolean
   order by s.queue, s.type, w.minutes
      on conflict (queue, type, minutes, at) do update
     set submitted = r.submitted + excluded.submitted, completed = r.completed + excluded.completed, failed = r.failed + excluded.failed,
         canceled = r.canceled + excluded.canceled, pending = excluded.pending, processing = excluded.processing,
         oldest_pending_ms = greatest(r.oldest_pending_ms, excluded.oldest_pending_ms),
         waiting = sum_buckets(r.waiting, excluded.waiting), running = sum_buckets(r.running, excluded.running)`,
}
