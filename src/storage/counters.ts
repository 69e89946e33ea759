import type { Status } from '../domain/task.ts'
import type { Database } from './connection.ts'
import { logMoves } from './move-log.ts'

/**
 * The part of a moving statement that keeps the counts: for the rows of the earlier part `moved`, with columns
 * queue and type, takes one from `from` and adds one to `to`. Exact, because it counts the rows that moved and
 * commits with them. A slot for each connection, so nobody waits for another's row. Also writes the moves down where
 * somebody listens, for which `moved` has id and attempt.
 */
export function countMoves(moved: string, { from, to }: { from?: Status; to: Status }): string {
  const signs = from ? `('${from}'::task_status, -1), ('${to}', 1)` : `('${to}'::task_status, 1)`
  return `
  insert into counters as c (slot, queue, type, status, n)
  select pg_backend_pid(), m.queue, m.type, s.status, s.sign * m.n
    from (select queue, type, count(*) as n from ${moved} group by queue, type) as m
   cross join (values ${signs}) as s (status, sign)
      on conflict (slot, queue, type, status) do update set n = c.n + excluded.n${logMoves(moved, `'${to}'::task_status`)}`
}

/** The same where each row has its own `from_status` and `to_status`. */
export function countEachMove(moved: string): string {
  return `
  insert into counters as c (slot, queue, type, status, n)
  select pg_backend_pid(), queue, type, status, sum(sign)
    from (select queue, type, from_status as status, -1 as sign from ${moved}
          union all
          select queue, type, to_status, 1 from ${moved}) as m
   group by queue, type, status
      on conflict (slot, queue, type, status) do update set n = c.n + excluded.n${logMoves(moved, 'm.to_status')}`
}

const fold = {
  name: 'counters.fold',
  text: `
  with gone as materialized (
    select slot, queue, type, status
      from counters as c
     where slot <> 0
       and not exists (select from pg_stat_get_activity(c.slot))
     order by slot, queue, type, status
       for update skip locked
  ), taken as (
    delete from counters as c
     using gone as g
     where c.slot = g.slot and c.queue = g.queue and c.type = g.type and c.status = g.status
    returning c.queue, c.type, c.status, c.n
  )
  insert into counters as c (slot, queue, type, status, n)
  select 0, queue, type, status, sum(n) from taken group by queue, type, status order by 2, 3, 4
      on conflict (slot, queue, type, status) do update set n = c.n + excluded.n`,
}

// What submissions in SQL had to do when they committed is done by the time that a row is seen.
const forgetCommitted = { name: 'at-commit.forget', text: 'delete from at_commit' }

/** Adds the counters of connections that are gone to slot 0, so that their number stays small. */
export async function foldCounters({ run }: Database): Promise<void> {
  await run(fold)
  await run(forgetCommitted)
}

const takeSample = {
  name: 'samples.take',
  text: `
  with counts as (
    select coalesce(sum(n), 0) as submitted,
           coalesce(sum(n) filter (where status = 'completed'), 0) as completed,
           coalesce(sum(n) filter (where status = 'failed'), 0) as failed,
           coalesce(sum(n) filter (where status = 'canceled'), 0) as canceled
      from counters
  ), latest as (
    select * from samples order by at desc limit 1
  ), old as (
    delete from samples where at < now() - interval '15 minutes'
  )
  insert into samples (submitted, completed, failed, canceled)
  select c.* from counts as c left join latest as l on true
   where l.at is null
      or l.at < now() - interval '4 seconds'
         and (l.submitted, l.completed, l.failed, l.canceled)
             is distinct from (c.submitted, c.completed, c.failed, c.canceled)
      on conflict do nothing`,
}

/** Writes down the counts of this moment unless nothing has changed: an idle system does next to nothing. */
export async function sampleCounts({ run }: Database): Promise<void> {
  await run(takeSample)
}
