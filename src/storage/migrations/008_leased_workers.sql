alter table workers add column lease_ms integer;
comment on column workers.lease_ms is 'Of a worker that speaks HTTP: it is dead when it has said nothing for so long. Null: it lives by its lock.';

-- One of them with a few slots would have everybody's packets as small as its own.
create or replace function packet_size(of_queue text, tasks bigint) returns bigint
language plpgsql stable as $$
declare
  live bigint;
  smallest integer;
begin
  if tasks = 1 then
    return 1;
  end if;
  select count(*), min(concurrency) into live, smallest
    from workers
   where last_seen_at > '-infinity' and lease_ms is null and of_queue = any (queues);
  return greatest(1, least(100, coalesce(smallest, 1000) / 16, ceil(tasks / greatest(1, live)::numeric)));
end
$$;
