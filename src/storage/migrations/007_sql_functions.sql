-- Submitting and canceling inside any transaction on this database: docs/sql.md. The functions that are for everybody
-- run with the rights of the owner, on a search path of their own; whoever may call them needs no right on any table.

-- A submission as its fields were given. A field of a later version is a further attribute.
create type submission as (
  payload json,
  type text,
  queue text,
  priority text,
  delay_ms bigint,
  run_at timestamptz,
  max_attempts bigint,
  timeout_ms bigint,
  idempotency_key text
);

-- What a transaction has still to do when it commits, which may be long after the call: until then no lock is held
-- that a worker or another client could wait for. Null: tell workers of packets; an id: cancel that task. Nobody reads
-- the rows, the trigger sees them as they come, and housekeeping throws them away.
create unlogged table at_commit (cancel_id uuid);

-- UUIDv7 as domain/id.ts makes them, growing within one call: the milliseconds, a counter of 12 bits that lends from
-- the next millisecond, and 62 random bits.
create function new_ids(n integer, at timestamptz) returns uuid[]
language sql volatile as $$
  select array_agg(
           encode(
             overlay(uuid_send(gen_random_uuid())
               placing int8send((b.ms + c / 4096) << 16 | 28672 | c % 4096) from 1 for 8),
             'hex')::uuid
           order by c)
    from (select floor(extract(epoch from $2) * 1000)::bigint as ms, floor(random() * 1024)::bigint as first) as b
   cross join lateral generate_series(b.first, b.first + $1 - 1) as c
$$;

-- How deep a JSON text is nested, counted no further than `most` levels and one more.
create function json_depth(value text, most integer) returns integer
language plpgsql immutable as $$
declare
  brackets text;
  depth integer := 0;
begin
  if length(value) - length(translate(value, '[{', '')) <= most then
    return 0;
  end if;
  brackets := translate(regexp_replace(value, '"(?:[^"\\]|\\.)*"|[^]["{}]+', '', 'g'), '{}', '[]');
  while brackets <> '' and depth <= most loop
    brackets := replace(brackets, '[]', ''); -- the innermost level
    depth := depth + 1;
  end loop;
  return depth;
end
$$;

create function refuse(fault text, hint text, errcode text default '22023') returns void
language plpgsql as $$
begin
  raise exception using message = fault, hint = refuse.hint, errcode = refuse.errcode;
end
$$;

-- The rules of POST /tasks. `place` says which task of a batch it is.
create function check_submission(s submission, place text) returns void
language plpgsql as $$
declare
  names constant text := '^[A-Za-z0-9._:/-]{1,128}$';
  rule constant text := ' must have 1 to 128 characters out of A-Z a-z 0-9 . _ : / -';
begin
  if s.payload is null then
    perform refuse(place || 'payload is missing', 'Give any JSON value; JSON''s own null is ''null''::json.');
  elsif octet_length(s.payload::text) > 1048576 then
    perform refuse(format('%spayload has %s bytes, and 1048576 is the limit', place, octet_length(s.payload::text)),
      'Store large data elsewhere, and submit where it is.', '54000');
  elsif json_depth(s.payload::text, 100) > 100 then
    perform refuse(place || 'payload is nested deeper than 100 levels', 'Flatten it, or submit it as a JSON string.', '54000');
  elsif s.type collate "C" !~ names then
    perform refuse(place || 'type' || rule, 'Leave it out for ''default''.');
  elsif s.type like 'millrace.%' then
    perform refuse(place || 'type must not begin with millrace., which is for the system''s own tasks', 'Choose another name.');
  elsif s.queue collate "C" !~ names then
    perform refuse(place || 'queue' || rule, 'Leave it out for ''default''.');
  elsif s.priority not in ('low', 'normal', 'high') then
    perform refuse(place || 'priority must be one of low, normal, high', 'Leave it out for ''normal''.');
  elsif s.delay_ms is not null and s.run_at is not null then
    perform refuse(place || 'run_at cannot be given together with delay_ms', 'Give one of them.');
  elsif s.delay_ms not between 0 and 315360000000 then
    perform refuse(place || 'delay_ms must be from 0 to 315360000000 (10 years)', 'Give milliseconds from now.');
  elsif s.run_at < '1970-01-01 00:00+00' or s.run_at >= '2101-01-01 00:00+00' then
    perform refuse(place || 'run_at must be between 1970 and 2100', 'Leave it out to run the task at once.');
  elsif s.max_attempts not between 1 and 100 then
    perform refuse(place || 'max_attempts must be from 1 to 100', 'Leave it out to have the handler''s, or 3.');
  elsif s.timeout_ms not between 1 and 2147483647 then
    perform refuse(place || 'timeout_ms must be from 1 to 2147483647', 'Leave it out to have the handler''s, or none.');
  elsif length(s.idempotency_key) not between 1 and 255
     or s.idempotency_key ~ '[\u0001-\u001f\u007f-\u009f]' then
    perform refuse(place || 'idempotency_key must have 1 to 255 characters without control characters',
      'Leave it out if the same submission may be stored twice.');
  end if;
end
$$;

-- What must be the same for a key to be the same request: as storage/keyed-tasks.ts has it, so that a key is worth as
-- much whichever way a submission comes.
create function body_hash(s submission) returns text
language sql stable as $$
  select encode(sha256(convert_to(
           '{"due":' || case
             when s.delay_ms > 0 then '{"afterMs":' || s.delay_ms || '}'
             when s.run_at is not null then
               '{"at":"' || to_char(s.run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"}'
             else '"now"' end
           || coalesce(',"maxAttempts":' || s.max_attempts, '')
           || ',"priority":"' || s.priority || '","queue":"' || s.queue || '"'
           || coalesce(',"timeoutMs":' || s.timeout_ms, '')
           || ',"type":"' || s.type || '"}', 'UTF8')
         || '\x00'::bytea || convert_to(s.payload::text, 'UTF8')), 'base64')
$$;

-- Takes the keys of submissions. Answers the id that each one's key has, which is its own where the key is new. Two
-- statements, for a key that another transaction took a moment ago is only visible to the second.
create function take_keys(submissions submission[], ids uuid[]) returns uuid[]
language plpgsql as $$
declare
  keyed uuid[];
  reused text;
begin
  insert into idempotency_keys (key, task_id, body_hash)
  select s.idempotency_key, ids[n], body_hash(submissions[n])
    from unnest(submissions) with ordinality as s (payload, type, queue, priority, delay_ms, run_at, max_attempts,
                                                   timeout_ms, idempotency_key, n)
   where s.idempotency_key is not null
   order by s.idempotency_key, n
      on conflict (key) do nothing;

  select array_agg(coalesce(k.task_id, ids[n]) order by n),
         (array_agg(k.key order by n) filter (where k.body_hash <> body_hash(submissions[n])))[1]
    into keyed, reused
    from unnest(submissions) with ordinality as s (payload, type, queue, priority, delay_ms, run_at, max_attempts,
                                                   timeout_ms, idempotency_key, n)
    left join idempotency_keys as k on k.key = s.idempotency_key;
  if reused is not null then
    perform refuse(format('the idempotency key ''%s'' was used before with another body', reused),
      'Use a key for one submission only, or send exactly what was sent with it before.', '23505');
  end if;
  return keyed;
end
$$;

-- Stores checked submissions with everything that belongs to them: packets or the schedule, and the counts. The counts'
-- slot is the caller's own connection, so whoever keeps the transaction open keeps nobody waiting.
create function store(submissions submission[], batch uuid default null) returns uuid[]
language plpgsql as $$
declare
  at constant timestamptz := clock_timestamp();
  ids uuid[] := new_ids(cardinality(submissions), at);
  keyed uuid[] := ids;
  fresh integer[];
begin
  if exists (select from unnest(submissions) where idempotency_key is not null) then
    keyed := take_keys(submissions, ids);
  end if;
  fresh := array(select n from generate_subscripts(ids, 1) as n where ids[n] = keyed[n]);
  if fresh = '{}' then
    return keyed;
  end if;

  with task as materialized (
    select n, ids[n] as id, s.*, array_position(array['low', 'normal', 'high'], s.priority)::smallint - 1 as rank,
           case when s.delay_ms > 0 then at + s.delay_ms * interval '1 millisecond' else s.run_at end as due_at
      from unnest(fresh) as n
     cross join lateral (select (submissions[n]).*) as s
  ), stored as (
    insert into tasks (id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key,
                       created_at, run_at, status)
    select id, type, queue, rank, payload, max_attempts, timeout_ms, batch, idempotency_key, at, due_at,
           case when due_at > at then 'scheduled' else 'pending' end::task_status
      from task
    returning id, queue, type, status
  ), due as (
    insert into schedule (task_id, run_at) select id, due_at from task where due_at > at
  ), placed as (
    select t.n, t.id, t.queue, t.rank, row_number() over lot - 1 as place,
           packet_size(t.queue, count(*) over (partition by t.queue, t.rank)) as size
      from task as t
     where t.due_at is null or t.due_at <= at
    window lot as (partition by t.queue, t.rank order by t.n)
  ), packed as (
    insert into packets (queue, priority, task_ids, created_at)
    select queue, rank, array_agg(id order by n), at from placed group by queue, rank, place / size order by min(n)
  ), counted as (
    insert into counters as c (slot, queue, type, status, n)
    select pg_backend_pid(), queue, type, status, count(*) from stored group by queue, type, status
        on conflict (slot, queue, type, status) do update set n = c.n + excluded.n
  ), batched as (
    insert into batch_counters as c (batch_id, slot, status, n)
    select batch, pg_backend_pid(), status, count(*) from stored where batch is not null group by status
        on conflict (batch_id, slot, status) do update set n = c.n + excluded.n
  ), told as (
    insert into events (task_id, attempt, status, type, queue)
    select s.id, 0, s.status, s.type, s.queue
      from stored as s
     where exists (select from event_listeners as l
                    where l.listens_until > now() and (l.type is null or l.type = s.type)
                      and (l.queue is null or l.queue = s.queue))
  )
  insert into batches (id, total, first_id, last_id, created_at, counted_at)
  select batch, count(*), min(id::text)::uuid, max(id::text)::uuid, at, at from task where batch is not null having count(*) > 0;

  perform tell_at_commit();
  return keyed;
end
$$;

-- As domain/packet.ts has it: an even share for each worker, within every worker's limit.
create function packet_size(of_queue text, tasks bigint) returns bigint
language plpgsql stable as $$
declare
  live bigint;
  smallest integer;
begin
  if tasks = 1 then
    return 1;
  end if;
  select count(*), min(concurrency) into live, smallest
    from workers
   where last_seen_at > '-infinity' and of_queue = any (queues);
  return greatest(1, least(100, coalesce(smallest, 1000) / 16, ceil(tasks / greatest(1, live)::numeric)));
end
$$;

-- Once for each transaction.
create function tell_at_commit() returns void
language plpgsql as $$
begin
  if coalesce(current_setting('millrace.tells', true), '') <> 'yes' then
    insert into at_commit (cancel_id) values (null);
    perform set_config('millrace.tells', 'yes', true);
  end if;
end
$$;

-- A notice locks the whole database while its transaction commits, and so keeps all others that notify from committing
-- together. So only one transaction at a time sends it: who commits beside it is found by the workers that it wakes,
-- which look again after some milliseconds.
create function do_at_commit() returns trigger
language plpgsql security definer
set search_path = pg_catalog, millrace, pg_temp
set plan_cache_mode = force_generic_plan
set enable_partition_pruning = off
set enable_seqscan = off
set jit = off
as $$
begin
  if new.cancel_id is not null then
    perform cancel_now(new.cancel_id);
  elsif pg_try_advisory_xact_lock(hashtextextended('millrace.notice', 0)) then
    perform pg_notify('millrace_packets', 'sql');
  end if;
  return null;
end
$$;

create constraint trigger do_at_commit after insert on at_commit
  deferrable initially deferred for each row execute function do_at_commit();

create function cancel_now(task uuid) returns void
language plpgsql as $$
declare
  was record;
begin
  select status, queue, type, attempt, batch_id into was from tasks where id = task for update;
  if not found or was.status not in ('scheduled', 'pending', 'processing') then
    return;
  end if;
  update tasks set status = 'canceled', finished_at = clock_timestamp() where id = task;
  if was.status = 'scheduled' then
    delete from schedule where task_id = task;
  end if;
  insert into stopped (status, task_id, stopped_at) values ('canceled', task, clock_timestamp())
      on conflict (status, task_id) do update set stopped_at = excluded.stopped_at;
  insert into counters as c (slot, queue, type, status, n)
  values (pg_backend_pid(), was.queue, was.type, was.status, -1), (pg_backend_pid(), was.queue, was.type, 'canceled', 1)
      on conflict (slot, queue, type, status) do update set n = c.n + excluded.n;
  if was.batch_id is not null then
    insert into batch_counters as c (batch_id, slot, status, n)
    values (was.batch_id, pg_backend_pid(), was.status, -1), (was.batch_id, pg_backend_pid(), 'canceled', 1)
        on conflict (batch_id, slot, status) do update set n = c.n + excluded.n;
  end if;
  insert into events (task_id, attempt, status, type, queue)
  select task, was.attempt, 'canceled', was.type, was.queue
   where exists (select from event_listeners as l
                  where l.listens_until > now() and (l.type is null or l.type = was.type)
                    and (l.queue is null or l.queue = was.queue));
  if was.status = 'processing' then
    perform pg_notify('millrace_canceled', task || ':' || was.attempt);
  end if;
end
$$;

-- The elements of a batch, their fields named as in HTTP or as the arguments of submit. A null is a field left out.
create function read_submissions(tasks json) returns submission[]
language plpgsql as $$
declare
  known constant text[] := array['payload', 'type', 'queue', 'priority', 'delay_ms', 'run_at', 'max_attempts',
                                 'timeout_ms', 'idempotency_key'];
  instant constant text := '^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$';
  fault record;
  submissions submission[];
begin
  select n - 1 as at into fault
    from json_array_elements(tasks) with ordinality as e (task, n)
   where json_typeof(task) <> 'object'
   order by n limit 1;
  if found then
    perform refuse(format('tasks[%s] must be an object', fault.at), 'Put its payload into it: {"payload": …}.');
  end if;

  with field as materialized (
    select n, key, lower(regexp_replace(key, '([A-Z])', '_\1', 'g')) as name, value, json_typeof(value) as kind
      from json_array_elements(tasks) with ordinality as e (task, n)
     cross join lateral json_each(task) as f (key, value)
  ), valued as materialized (
    select *, case when name = 'payload' or kind = 'null' then null else value #>> '{}' end as content,
           count(*) over (partition by n, name) as times
      from field
  ), faulty as (
    select n, key,
           case when name <> all (known) then 'is not a known field'
                when times > 1 then 'occurs more than once'
                when name = 'payload' or kind = 'null' then null
                when name in ('delay_ms', 'max_attempts', 'timeout_ms') then
                  case when kind <> 'number' or content !~ '^-?\d{1,15}$' then 'must be a whole number' end
                when kind <> 'string' then 'must be a string'
                when name = 'run_at' and content !~ instant then 'must be an RFC 3339 instant with its offset' end as what
      from valued
  )
  select n - 1 as at, key, what into fault from faulty where what is not null order by n, key limit 1;
  if found then
    perform refuse(format('tasks[%s].%s %s', fault.at, left(fault.key, 64), fault.what),
      'Fields are ' || array_to_string(known, ', ') || '.');
  end if;

  select array_agg(s order by n) into submissions
    from (
      select n, row(
               (array_agg(value) filter (where name = 'payload'))[1],
               coalesce(max(content) filter (where name = 'type'), 'default'),
               coalesce(max(content) filter (where name = 'queue'), 'default'),
               coalesce(max(content) filter (where name = 'priority'), 'normal'),
               max(content) filter (where name = 'delay_ms'),
               max(content) filter (where name = 'run_at'),
               max(content) filter (where name = 'max_attempts'),
               max(content) filter (where name = 'timeout_ms'),
               max(content) filter (where name = 'idempotency_key'))::submission as s
        from (
          select n, lower(regexp_replace(key, '([A-Z])', '_\1', 'g')) as name, value,
                 case when key <> 'payload' and json_typeof(value) <> 'null' then value #>> '{}' end as content
            from json_array_elements(tasks) with ordinality as e (task, n)
            left join lateral json_each(task) as f (key, value) on true) as field
       group by n) as read;
  return submissions;
end
$$;

-- From here on: what is for everybody who is granted it.

create function submit(
  payload json,
  type text default null,
  queue text default null,
  priority text default null,
  delay_ms bigint default null,
  run_at timestamptz default null,
  max_attempts integer default null,
  timeout_ms bigint default null,
  idempotency_key text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, millrace, pg_temp
set plan_cache_mode = force_generic_plan
set enable_partition_pruning = off
set jit = off
as $$
declare
  s constant submission := row(
    btrim(payload::text, e' \t\n\r')::json, coalesce(type, 'default'), coalesce(queue, 'default'),
    coalesce(priority, 'normal'), delay_ms, run_at, max_attempts, timeout_ms, idempotency_key);
begin
  perform check_submission(s, '');
  return (store(array[s]))[1];
end
$$;

create function submit_batch(tasks json) returns uuid
language plpgsql security definer
set search_path = pg_catalog, millrace, pg_temp
set plan_cache_mode = force_generic_plan
set enable_partition_pruning = off
set jit = off
as $$
declare
  batch uuid := (new_ids(1, clock_timestamp()))[1];
  submissions submission[];
  keyed uuid[];
begin
  if tasks is null or json_typeof(tasks) <> 'array' then
    perform refuse('tasks must be a JSON array', 'Build it with json_agg(json_build_object(''payload'', …)).');
  elsif json_array_length(tasks) not between 1 and 10000 then
    perform refuse(format('tasks has %s tasks, and there must be 1 to 10000', json_array_length(tasks)),
      'Call it several times in the same transaction.', '54000');
  elsif octet_length(tasks::text) > 16777216 then
    perform refuse(format('tasks has %s bytes, and 16777216 is the limit', octet_length(tasks::text)),
      'Call it several times in the same transaction.', '54000');
  end if;
  submissions := read_submissions(tasks);
  for i in 1 .. cardinality(submissions) loop
    perform check_submission(submissions[i], format('tasks[%s].', i - 1));
  end loop;
  keyed := store(submissions, batch);
  if not exists (select from batches where id = batch) then -- all of it was there already
    batch := coalesce((select t.batch_id from tasks as t where t.id = keyed[1]), batch);
  end if;
  return batch;
end
$$;

create function cancel(id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, millrace, pg_temp
set plan_cache_mode = force_generic_plan
set enable_partition_pruning = off
set enable_seqscan = off
set jit = off
as $$
declare
  known text := (select t.status from tasks as t where t.id = cancel.id);
begin
  if known not in ('scheduled', 'pending', 'processing') then
    return known;
  elsif known is not null then
    insert into at_commit (cancel_id) values (cancel.id);
    return 'canceled';
  end if;
  return null;
end
$$;

comment on function submit is
  'Stores a task in this transaction and returns its id. Fields that are null are left out. Errors: 22023 invalid, 54000 too large, 23505 idempotency key reused.';
comment on function submit_batch is
  'Stores 1 to 10,000 tasks, [{"payload": …, "type": …}, …], all or none, and returns the id of the batch.';
comment on function cancel is
  'Cancels a task when this transaction commits. Returns canceled; or completed or failed when it has ended already; or null when there is none.';

-- Nobody but the owner may call anything until it is granted.
do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid from pg_proc as p where p.pronamespace = 'millrace'::regnamespace
       and p.proname in ('new_ids', 'json_depth', 'refuse', 'check_submission', 'body_hash', 'take_keys', 'store',
                         'packet_size', 'tell_at_commit', 'do_at_commit', 'cancel_now', 'read_submissions', 'submit',
                         'submit_batch', 'cancel')
  loop
    execute format('revoke all on function %s from public', f);
  end loop;
end
$$;
