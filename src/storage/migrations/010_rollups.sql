-- What happened in each minute and each quarter of an hour, by queue and type, of all of a queue or type, and of
-- everything: an empty name is all of them. Written beside the work, a few rows a minute, and never by it.
create table rollups (
  minutes smallint not null check (minutes in (1, 15)),
  at timestamptz not null,
  queue text collate "C" not null,
  type text collate "C" not null,
  submitted bigint not null default 0,
  completed bigint not null default 0,
  failed bigint not null default 0,
  canceled bigint not null default 0,
  pending bigint not null default 0,
  processing bigint not null default 0,
  oldest_pending_ms bigint not null default 0,
  waiting bigint[] not null default '{}',
  running bigint[] not null default '{}',
  primary key (queue, type, minutes, at)
) with (fillfactor = 70);
create index rollups_age on rollups (minutes, at);

comment on column rollups.pending is 'As counted last in that time, like processing and oldest_pending_ms; what was submitted and what ended are sums.';
comment on column rollups.waiting is 'How many tasks waited how long before an attempt: numbers by the buckets of domain/histogram.ts.';

-- The counts as they were when the latest minute was written.
create table rollup_marks (
  queue text collate "C" not null,
  type text collate "C" not null,
  submitted bigint not null,
  completed bigint not null,
  failed bigint not null,
  canceled bigint not null,
  primary key (queue, type)
) with (fillfactor = 50);

-- Until when it is written what happened; the row's lock is whose turn it is.
create table rollup_clock (
  one boolean primary key default true check (one),
  written_to timestamptz not null
);
insert into rollup_clock (written_to) values ('-infinity');

create function sum_buckets(a bigint[], b bigint[]) returns bigint[]
language sql immutable as $$
  select coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) order by n), '{}')
    from unnest(a, b) with ordinality as u (x, y, n)
$$;
