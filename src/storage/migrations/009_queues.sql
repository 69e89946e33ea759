-- Queues that are paused, limited, or were. One without a row is neither, and costs nothing.
create table queues (
  name text primary key,
  paused_at timestamptz,
  concurrency integer check (concurrency > 0),
  rate_per_second double precision check (rate_per_second > 0),
  key_concurrency integer check (key_concurrency > 0),
  key_rate_per_second double precision check (key_rate_per_second > 0),
  due_at timestamptz not null default '-infinity'
) with (fillfactor = 50);

comment on column queues.due_at is 'When the rate lets the next task start. The row''s lock is the queue''s gate: only its holder admits.';

-- Who counts as one with whom: at most so many of a key run at once in a queue with limits.
alter table tasks add column key text;

-- Tasks of a queue with limits, out of their packets, until it is their turn.
-- Not unique: what is in two packets may be here twice, and starts once.
create table parked (
  queue text collate "C" not null,
  key text collate "C" not null,
  priority smallint not null,
  task_id uuid not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index parked_turn on parked (queue, key, priority desc, task_id);

comment on column parked.key is 'Empty for tasks without a key, which are one lane.';

-- The keys that have parked tasks. They take turns: who was served longest ago is next.
-- No index on whose turn it is: that changes all the time, and lanes are few beside tasks.
create table lanes (
  queue text collate "C" not null,
  key text collate "C" not null,
  ready_at timestamptz not null,
  is_full boolean not null default false,
  primary key (queue, key)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- How many of a packet and a key run within limits. A row whose packet nobody holds any more is nobody's, and goes.
create table admitted (
  queue text collate "C" not null,
  key text collate "C" not null,
  packet_id bigint not null,
  tasks integer not null,
  primary key (queue, key, packet_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
