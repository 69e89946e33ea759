-- Progress of batches: deltas, a slot for each database connection, as in counters. Only tasks of a batch have them.
create table batch_counters (
  batch_id uuid not null,
  slot integer not null,
  status task_status not null,
  n bigint not null,
  primary key (batch_id, slot, status)
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
create index batch_counters_slots on batch_counters (slot) where slot <> 0;

-- A row that another version of the program has stored has never been counted, and is at the first look.
alter table batches
  add column importing boolean not null default false,
  add column touched_at timestamptz not null default now(),
  add column counted_at timestamptz,
  add column finished_at timestamptz;
create index batches_unfinished on batches (id) where finished_at is null;
create index batches_finished on batches (finished_at) where finished_at is not null;

comment on column batches.importing is 'Tasks are still being added to it.';
comment on column batches.touched_at is 'When tasks were last added to it: an import that is silent for long has died.';
comment on column batches.counted_at is 'When its counters were last compared with its tasks.';

-- The task that is submitted when the last one of a batch is final.
create table batch_sequels (
  batch_id uuid primary key,
  type text not null,
  queue text not null,
  priority smallint not null,
  payload json,
  max_attempts smallint,
  timeout_ms bigint,
  delay_ms bigint,
  run_at timestamptz,
  task_id uuid
);

comment on column batch_sequels.task_id is 'Null until it is submitted, which is once, whatever is retried later.';
