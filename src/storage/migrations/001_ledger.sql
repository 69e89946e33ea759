-- Status words in the order of a task's life.
create type task_status as enum ('scheduled', 'pending', 'processing', 'completed', 'failed', 'canceled');

-- One index only, the key: an index that mentions a status would turn heap-only updates off, which costs three
-- times the CPU and twice the WAL. What must be found otherwise is found through the small tables below.
-- payload, result and error are json and not jsonb: the text stays as it came.
create table tasks (
  id uuid not null primary key,
  batch_id uuid,
  worker_id uuid,
  created_at timestamptz not null default now(),
  run_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  timeout_ms bigint,
  status task_status not null,
  attempt integer not null default 0,
  failures integer not null default 0,
  crashes integer not null default 0,
  max_attempts smallint check (max_attempts between 1 and 100),
  priority smallint not null check (priority between 0 and 2),
  type text not null,
  queue text not null,
  idempotency_key text,
  payload json not null,
  result json,
  error json,
  constraint final_has_an_end check ((status in ('completed', 'failed', 'canceled')) = (finished_at is not null))
) partition by range (id);

comment on column tasks.attempt is 'Grows at each claim and never shrinks: the fence behind which outcomes are written.';
comment on column tasks.failures is 'How often the handler failed since the last explicit retry: what max_attempts bounds.';
comment on column tasks.crashes is 'How often the worker died while the task ran: suspects run apart.';
comment on column tasks.max_attempts is 'Null leaves it to the handler, then to 3.';

-- Catches ids from clocks that are far off.
create table tasks_default partition of tasks default with (fillfactor = 45);

-- The partitions that exist, so that retention need not read the catalog. A sealed one is about to go.
create table partitions (
  name text primary key,
  lower_id uuid not null,
  upper_id uuid not null,
  sealed_at timestamptz
);

-- Transactional outbox, queue, lease and index of what is in flight.
create table packets (
  id bigint generated always as identity primary key,
  queue text not null,
  priority smallint not null,
  task_ids uuid[] not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  worker_id uuid,
  claimed_at timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index packets_waiting on packets (queue, priority desc, id) where worker_id is null;
create index packets_unsent on packets (id) where worker_id is null and sent_at is null;
create index packets_held on packets (worker_id) where worker_id is not null;

-- Tasks that are due later.
create table schedule (
  task_id uuid primary key,
  run_at timestamptz not null
);
create index schedule_due on schedule (run_at);

-- Failed and canceled tasks, to be found newest first and by what went wrong.
create table stopped (
  status task_status not null,
  task_id uuid not null,
  fingerprint text,
  stopped_at timestamptz not null default now(),
  primary key (status, task_id)
);

-- Attempts that did not complete.
create table attempts (
  task_id uuid not null,
  attempt integer not null,
  error json not null,
  started_at timestamptz,
  finished_at timestamptz not null default now(),
  worker_id uuid,
  primary key (task_id, attempt)
);

create table idempotency_keys (
  key text primary key,
  task_id uuid not null,
  body_hash text not null,
  created_at timestamptz not null default now()
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- A batch's tasks are a range of the key of tasks.
create table batches (
  id uuid primary key,
  total integer not null,
  first_id uuid not null,
  last_id uuid not null,
  created_at timestamptz not null default now()
);

-- Deltas, a slot for each database connection so that nobody waits for another; sums are exact.
create table counters (
  slot integer not null,
  queue text not null,
  type text not null,
  status task_status not null,
  n bigint not null,
  primary key (slot, queue, type, status)
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

-- The counts of some moments, for rates.
create table samples (
  at timestamptz primary key default now(),
  submitted bigint not null,
  completed bigint not null,
  failed bigint not null,
  canceled bigint not null
);

create table workers (
  id uuid primary key,
  host text not null,
  pid integer not null,
  version text not null,
  queues text[] not null,
  types text[] not null,
  concurrency integer not null,
  running integer not null default 0,
  started_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()
);

-- When a worker of a host was last found dead.
create table crashes (
  host text primary key,
  crashed_at timestamptz not null
);
