-- Failures that are alike, counted as they come and go. What a failing task pays is one row here, which waits for
-- nobody; the housekeeping folds these rows into the groups within a second or two. A group has as many failures as the
-- table stopped has rows of it, whoever puts them there or takes them away.
create table failure_changes (
  fingerprint text not null,
  task_id uuid not null,
  change smallint not null check (change in (-1, 1)),
  at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create table failure_groups (
  fingerprint text primary key,
  n bigint not null,
  first_at timestamptz,
  last_at timestamptz,
  sample_id uuid,
  error json,
  types text[] not null default '{}',
  queues text[] not null default '{}'
) with (fillfactor = 50);
create index failure_groups_latest on failure_groups (last_at desc, fingerprint desc) where n > 0;

comment on column failure_groups.n is 'Without what is in failure_changes; nothing of a group that was retried as a whole, which stays to know when it began.';
comment on column failure_groups.error is 'That of the latest task, as the text it is.';

-- How many came in each hour, for trends.
create table failure_hours (
  fingerprint text not null,
  hour timestamptz not null,
  n bigint not null,
  primary key (fingerprint, hour)
) with (fillfactor = 70);

create function note_failure() returns trigger
language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    insert into millrace.failure_changes (fingerprint, task_id, change, at)
    values (old.fingerprint, old.task_id, -1, old.stopped_at);
  end if;
  if tg_op <> 'DELETE' then
    insert into millrace.failure_changes (fingerprint, task_id, change, at)
    values (new.fingerprint, new.task_id, 1, new.stopped_at);
  end if;
  return null;
end
$$;

create trigger note_failure after insert on stopped for each row
  when (new.status = 'failed' and new.fingerprint is not null) execute function note_failure();
create trigger note_failure_gone after delete on stopped for each row
  when (old.status = 'failed' and old.fingerprint is not null) execute function note_failure();
create trigger note_failure_again after update on stopped for each row
  when (new.status = 'failed' and old.fingerprint is not null and new.fingerprint is not null
        and (old.fingerprint, old.stopped_at) is distinct from (new.fingerprint, new.stopped_at))
  execute function note_failure();

insert into failure_changes (fingerprint, task_id, change, at)
select fingerprint, task_id, 1, stopped_at from stopped where status = 'failed' and fingerprint is not null;
