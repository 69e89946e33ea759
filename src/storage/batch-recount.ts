import type { Database, Run } from './connection.ts'

const lockOne = {
  name: 'batches.lock-one',
  text: 'select id, first_id, last_id from batches where id = $1 for update',
}

const lockDue = {
  name: 'batches.lock-due-for-recount',
  text: `
  select id, first_id, last_id
    from batches
   where finished_at is null
     and (counted_at is null
          or counted_at < now() - $1 * interval '1 millisecond' and created_at > now() - interval '1 day')
   order by counted_at nulls first
   limit 1
     for update skip locked`,
}

// Both are counted in one look, and the difference is added: what moves meanwhile adds its own.
const recount = {
  name: '',
  text: `
  with kept as (
    select status, sum(n) as n from batch_counters where batch_id = $1 group by status
  ), counted as (
    select status, count(*) as n from tasks where id >= $2 and id <= $3 and batch_id = $1 group by status
  ), wrong as (
    select status, coalesce(c.n, 0) - coalesce(k.n, 0) as n
      from counted as c full join kept as k using (status)
     where coalesce(c.n, 0) <> coalesce(k.n, 0)
  ), righted as (
    insert into batch_counters as c (batch_id, slot, status, n)
    select $1, pg_backend_pid(), status, n from wrong order by status
        on conflict (batch_id, slot, status) do update set n = c.n + excluded.n
  )
  update batches set counted_at = now() where id = $1`,
}

type BatchRange = [id: string, firstId: string, lastId: string]

/** Puts the counters of a batch right, from its tasks. The lock keeps two from adding the same difference. */
export function recountNow(database: Database, id: string): Promise<boolean> {
  return database.transaction(async (run) => recountLocked(run, await run<BatchRange>(lockOne, [id])))
}

/**
 * The same for one that was never counted, or not for `everyMs` and is not finished. Only young ones: of an older batch
 * some tasks may have been let go of.
 */
export function recountOne(database: Database, everyMs: number): Promise<boolean> {
  return database.transaction(async (run) => recountLocked(run, await run<BatchRange>(lockDue, [everyMs])))
}

async function recountLocked(run: Run, [batch]: readonly BatchRange[]): Promise<boolean> {
  if (!batch) return false
  await run(recount, batch)
  return true
}
