-- How far the latest attempt of a task says it is. Only tasks whose handlers report have a row.
create table progress (
  task_id uuid primary key,
  attempt integer not null,
  version integer not null default 1,
  done double precision not null,
  total double precision,
  message text,
  reported_at timestamptz not null default now()
) with (fillfactor = 70);

comment on column progress.version is 'Grows with each report that is stored, so that a change is seen.';

-- Who wants to hear of changes as they happen, each for a while. Without a row here nothing is written to `events`.
create table event_listeners (
  id uuid primary key,
  type text,
  queue text,
  listens_until timestamptz not null
);

-- Changes of the last minutes, written by the statements that make them. Unlogged: after a crash of the server
-- listeners are told that they have missed something. Read by what a snapshot does not see, since transactions are not
-- committed in the order of their numbers.
create unlogged table events (
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity,
  at timestamptz not null default now(),
  task_id uuid not null,
  attempt integer not null,
  status task_status not null,
  type text not null,
  queue text not null,
  primary key (xid, seq)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
