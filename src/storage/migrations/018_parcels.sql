-- Tasks of a queue with limits, out of their packets, until it is their turn: a row for some of one key, because a row
-- for each of them cost half of what starting them costs. No release has had the table that this one takes the place of.
create table parcels (
  queue text collate "C" not null,
  key text collate "C" not null,
  priority smallint not null,
  first_id uuid not null,
  task_ids uuid[] not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index parcels_turn on parcels (queue, key, priority desc, first_id);

comment on column parcels.key is 'Empty for tasks without a key, which are one lane.';
comment on column parcels.first_id is 'The first that it had. It stays while the others are taken from the front, so that its index does not change.';

lock table parked in access exclusive mode;

insert into parcels (queue, key, priority, first_id, task_ids)
select queue, key, priority, (array_agg(task_id order by task_id))[1], array_agg(task_id order by task_id)
  from (select *, (row_number() over (partition by queue, key, priority order by task_id) - 1) / 50 as parcel from parked) as p
 group by queue, key, priority, parcel;

drop table parked;

-- A row for each task that waits for its turn. Not unique: what is in two packets may be here twice, and starts once.
create view parked as
select queue, key, priority, unnest(task_ids) as task_id from parcels;
