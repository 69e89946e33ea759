-- What is submitted again and again, at the times that a cron expression names. Single tasks that are due later are in
-- the table schedule.
create table cron_schedules (
  name text primary key,
  cron text not null,
  time_zone text not null,
  catch_up text not null check (catch_up in ('none', 'latest', 'all')),
  submission json not null,
  payload json not null,
  next_at timestamptz not null,
  paused_at timestamptz,
  last_at timestamptz,
  last_task_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index cron_schedules_due on cron_schedules (next_at) where paused_at is null;

comment on column cron_schedules.submission is 'The fields of the task but its payload, which is kept as the text that was sent.';
comment on column cron_schedules.next_at is 'The first time whose task is not submitted yet; moves in the transaction that submits it.';
