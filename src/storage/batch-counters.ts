import type { Status } from '../domain/task.ts'
import type { Database } from './connection.ts'

// The same for batches as `counters.ts` for all tasks, of those of the rows `moved` that have a batch_id. No rows, no work.

/** The part of a moving statement that keeps the progress of batches: one status to another for all rows. */
export function countBatchMoves(moved: string, { from, to }: { from?: Status; to: Status }): string {
  const signs = from ? `('${from}'::task_status, -1), ('${to}', 1)` : `('${to}'::task_status, 1)`
  return `
  insert into batch_counters as c (batch_id, slot, status, n)
  select m.batch_id, pg_backend_pid(), s.status, s.sign * m.n
    from (select batch_id, count(*) as n from ${moved} where batch_id is not null group by batch_id) as m
   cross join (values ${signs}) as s (status, sign)
      on conflict (batch_id, slot, status) do update set n = c.n + excluded.n`
}

/** The same where each row has its own `from_status` and `to_status`. */
export function countEachBatchMove(moved: string): string {
  return `
  insert into batch_counters as c (batch_id, slot, status, n)
  select batch_id, pg_backend_pid(), status, sum(sign)
    from (select batch_id, from_status as status, -1 as sign from ${moved} where batch_id is not null
          union all
          select batch_id, to_status, 1 from ${moved} where batch_id is not null) as m
   group by batch_id, status
      on conflict (batch_id, slot, status) do update set n = c.n + excluded.n`
}

const fold = {
  name: 'batch-counters.fold',
  text: `
  with gone as materialized (
    select batch_id, slot, status
      from batch_counters as c
     where slot <> 0
       and not exists (select from pg_stat_get_activity(c.slot))
     order by batch_id, slot, status
     limit 10000
       for update skip locked
  ), taken as (
    delete from batch_counters as c
     using gone as g
     where c.batch_id = g.batch_id and c.slot = g.slot and c.status = g.status
    returning c.batch_id, c.status, c.n
  )
  insert into batch_counters as c (batch_id, slot, status, n)
  select batch_id, 0, status, sum(n) from taken group by batch_id, status having sum(n) <> 0 order by 1, 3
      on conflict (batch_id, slot, status) do update set n = c.n + excluded.n`,
}

/** Adds what connections that are gone have counted to slot 0. */
export async function foldBatchCounters({ run }: Database): Promise<void> {
  await run(fold)
}

/**
 * The same for finished batches, whoever has counted: a row for each status that they have is left. They are found
 * by their key (`slot + 0` is in no index) and then by their place: a join might read all there are.
 */
export const foldBatches = {
  name: 'batch-counters.fold-batches',
  text: `
  with mine as materialized (
    select ctid
      from batch_counters
     where batch_id = any ($1::uuid[])
       and slot + 0 <> 0
     order by batch_id, slot, status
       for update skip locked
  ), taken as (
    delete from batch_counters where ctid = any (array(select ctid from mine)) returning batch_id, status, n
  )
  insert into batch_counters as c (batch_id, slot, status, n)
  select batch_id, 0, status, sum(n) from taken group by batch_id, status having sum(n) <> 0 order by 1, 3
      on conflict (batch_id, slot, status) do update set n = c.n + excluded.n`,
}
