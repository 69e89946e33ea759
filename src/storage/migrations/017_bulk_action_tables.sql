-- What is done to all tasks that a filter chooses. The tasks are found first and written down, so that what is done is
-- what was counted, and so that it goes on where it was after the death of whoever did it.
create table bulk_actions (
  id uuid primary key,
  action text not null check (action in ('cancel', 'retry', 'delete')),
  filter json not null,
  scope json not null,
  status text not null check (status in ('counting', 'ready', 'running', 'done', 'aborted', 'failed')),
  starts boolean not null default false,
  position uuid,
  matched bigint not null default 0,
  done bigint not null default 0,
  skipped bigint not null default 0,
  busy_ms double precision not null default 0,
  stepped_at timestamptz,
  leased_by uuid,
  leased_until timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  error text
) with (fillfactor = 50);
create index bulk_actions_open on bulk_actions (id) where status in ('counting', 'running');

comment on column bulk_actions.filter is 'As it was given; scope is what that was at that moment.';
comment on column bulk_actions.starts is 'It runs as soon as it is counted.';
comment on column bulk_actions.position is 'Of the counting: the first id that was not looked at yet. Null: none was.';
comment on column bulk_actions.busy_ms is 'How long it has been done, without the time when nobody did it.';
comment on column bulk_actions.leased_until is 'Who does it is left alone until then. Two at once would be no harm, only a waste.';

-- The tasks of those that are not over, in lots in the order of the key. A lot goes in the transaction that does it.
create table bulk_action_lots (
  action_id uuid not null,
  first_id uuid not null,
  ids uuid[] not null,
  primary key (action_id, first_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter table bulk_action_lots alter column ids set storage external;
