-- What comes after a batch may have a key, and somebody who is told of its end.
alter table batch_sequels add column key text, add column callback_url text;

-- Tasks that are submitted in SQL may have both, and batches may have somebody who is told of their end. These take the
-- place of functions of the same name: docs/sql.md.
alter type submission add attribute key text, add attribute callback_url text;

-- As domain/callback.ts has it. What it lets pass that no parser takes is found when it is delivered.
create function is_callback_url(url text) returns boolean
language plpgsql immutable as $$
declare
  host constant text := '(?:\[[0-9a-f:.]+\]|[^]/?#@:<>^|%[]+)';
  parts constant text[] := regexp_match(url, '^https?://' || host || '(?::(\d{0,5}))?(?:[/?#]|$)', 'i');
  port constant integer := nullif(parts[1], '');
begin
  return url is null or (
    parts is not null
    and length(url) <= 2048
    and url !~ '[\u0001-\u0020\u007f\\]'
    and (port is null or port in (80, 443) or port between 1024 and 65535));
end
$$;

create function refuse_callback(place text) returns void
language plpgsql as $$
begin
  perform refuse(place || 'callback_url must be an http or https URL of at most 2048 characters, without a user, to port 80, 443 or from 1024 up',
    'Give one such as https://example.com/tasks.');
end
$$;

-- The rules of POST /tasks. `place` says which task of a batch it is.
create or replace function check_submission(s submission, place text) returns void
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
  elsif length(s.key) not between 1 and 255 or s.key ~ '[\u0001-\u001f\u007f-\u009f]' then
    perform refuse(place || 'key must have 1 to 255 characters without control characters',
      'Leave it out if the task is for nobody in particular.');
  elsif not is_callback_url(s.callback_url) then
    perform refuse_callback(place);
  end if;
end
$$;

-- What must be the same for a key to be the same request: as storage/keyed-tasks.ts has it, so that a key is worth as
-- much whichever way a submission comes.
create or replace function body_hash(s submission) returns text
language sql stable as $$
  select encode(sha256(convert_to(
           '{' || coalesce('"callbackUrl":' || to_json(s.callback_url) || ',', '') || '"due":' || case
             when s.delay_ms > 0 then '{"afterMs":' || s.delay_ms || '}'
             when s.run_at is not null then
               '{"at":"' || to_char(s.run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"}'
             else '"now"' end
           || coalesce(',"key":' || to_json(s.key), '')
           || coalesce(',"maxAttempts":' || s.max_attempts, '')
           || ',"priority":"' || s.priority || '","queue":"' || s.queue || '"'
           || coalesce(',"timeoutMs":' || s.timeout_ms, '')
           || ',"type":"' || s.type || '"}', 'UTF8')
         || '\x00'::bytea || convert_to(s.payload::text, 'UTF8')), 'base64')
$$;

create or replace function take_keys(submissions submission[], ids uuid[]) returns uuid[]
language plpgsql as $$
declare
  keyed uuid[];
  reused text;
begin
  insert into idempotency_keys (key, task_id, body_hash)
  select s.idempotency_key, ids[n], body_hash(submissions[n])
    from generate_subscripts(submissions, 1) as n
   cross join lateral (select (submissions[n]).*) as s
   where s.idempotency_key is not null
   order by s.idempotency_key, n
      on conflict (key) do nothing;

  select array_agg(coalesce(k.task_id, ids[n]) order by n),
         (array_agg(k.key order by n) filter (where k.body_hash <> body_hash(submissions[n])))[1]
    into keyed, reused
    from generate_subscripts(submissions, 1) as n
   cross join lateral (select (submissions[n]).*) as s
    left join idempotency_keys as k on k.key = s.idempotency_key;
  if reused is not null then
    perform refuse(format('the idempotency key ''%s'' was used before with another body', reused),
      'Use a key for one submission only, or send exactly what was sent with it before.', '23505');
  end if;
  return keyed;
end
$$;

create or replace function store(submissions submission[], batch uuid default null) returns uuid[]
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
    insert into tasks (id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key, key,
                       created_at, run_at, status)
    select id, type, queue, rank, payload, max_attempts, timeout_ms, batch, idempotency_key, key, at, due_at,
           case when due_at > at then 'scheduled' else 'pending' end::task_status
      from task
    returning id, queue, type, status
  ), due as (
    insert into schedule (task_id, run_at) select id, due_at from task where due_at > at
  ), called as (
    insert into callbacks (task_id, url) select id, callback_url from task where callback_url is not null
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

create or replace function read_submissions(tasks json) returns submission[]
language plpgsql as $$
declare
  known constant text[] := array['payload', 'type', 'queue', 'priority', 'delay_ms', 'run_at', 'max_attempts',
                                 'timeout_ms', 'idempotency_key', 'key', 'callback_url'];
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
               max(content) filter (where name = 'idempotency_key'),
               max(content) filter (where name = 'key'),
               max(content) filter (where name = 'callback_url'))::submission as s
        from (
          select n, lower(regexp_replace(key, '([A-Z])', '_\1', 'g')) as name, value,
                 case when key <> 'payload' and json_typeof(value) <> 'null' then value #>> '{}' end as content
            from json_array_elements(tasks) with ordinality as e (task, n)
            left join lateral json_each(task) as f (key, value) on true) as field
       group by n) as read;
  return submissions;
end
$$;

-- One argument more is another function. Who may call the old one may call the new one, and what has been defined with
-- the old one (a view, a function with a body of SQL) goes on with it under a name that nobody calls.
alter function submit(json, text, text, text, bigint, timestamptz, integer, bigint, text) rename to submit_before;
alter function submit_batch(json) rename to submit_batch_before;

create function submit(
  payload json,
  type text default null,
  queue text default null,
  priority text default null,
  delay_ms bigint default null,
  run_at timestamptz default null,
  max_attempts integer default null,
  timeout_ms bigint default null,
  idempotency_key text default null,
  key text default null,
  callback_url text default null
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
    coalesce(priority, 'normal'), delay_ms, run_at, max_attempts, timeout_ms, idempotency_key, key, callback_url);
begin
  perform check_submission(s, '');
  return (store(array[s]))[1];
end
$$;

create function submit_batch(tasks json, callback_url text default null) returns uuid
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
  elsif not is_callback_url(callback_url) then
    perform refuse_callback('');
  end if;
  submissions := read_submissions(tasks);
  for i in 1 .. cardinality(submissions) loop
    perform check_submission(submissions[i], format('tasks[%s].', i - 1));
  end loop;
  keyed := store(submissions, batch);
  if not exists (select from batches where id = batch) then -- all of it was there already
    batch := coalesce((select t.batch_id from tasks as t where t.id = keyed[1]), batch);
  elsif callback_url is not null then
    insert into batch_callbacks (batch_id, url, queue) values (batch, callback_url, submissions[1].queue);
  end if;
  return batch;
end
$$;

comment on function submit is
  'Stores a task in this transaction and returns its id. Fields that are null are left out. Errors: 22023 invalid, 54000 too large, 23505 idempotency key reused.';
comment on function submit_batch is
  'Stores 1 to 10,000 tasks, [{"payload": …, "type": …}, …], all or none, and returns the id of the batch. Whoever is at callback_url is told once all are final.';

do $$
declare
  changed text;
  old oid;
  caller record;
begin
  revoke all on function submit, submit_batch, is_callback_url, refuse_callback from public;
  foreach changed in array array['submit', 'submit_batch'] loop
    old := (changed || '_before')::regproc;
    for caller in
      select case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as name, a.is_grantable
        from pg_proc as p cross join lateral aclexplode(p.proacl) as a
       where p.oid = old and a.privilege_type = 'EXECUTE' and a.grantee <> p.proowner
    loop
      execute format('grant execute on function %s to %s%s', changed, caller.name,
                     case when caller.is_grantable then ' with grant option' else '' end);
    end loop;

    begin
      execute format('drop function %s', old::regprocedure);
    exception when dependent_objects_still_exist then
      null;
    end;
  end loop;
end
$$;
