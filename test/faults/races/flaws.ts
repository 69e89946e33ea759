import type { Database } from '../../../src/storage/connection.ts'

const text = `
  with task as materialized (
    select id, queue, type, status, worker_id, batch_id from tasks where $1::uuid[] is null or id = any ($1)
  ), member as materialized (
    select unnest(task_ids) as id, worker_id from packets where $2::text is null or queue = $2
  )
  select format('%s %s of %s are counted, there are %s', coalesce(kept.n, 0), status, type, coalesce(there.n, 0))
    from (select queue, type, status, sum(n) as n from counters
           where $2::text is null or queue = $2 group by queue, type, status having sum(n) <> 0) as kept
    full join (select queue, type, status, count(*) as n from task group by queue, type, status) as there
   using (queue, type, status)
   where kept.n is distinct from there.n
  union all
  select format('%s %s of batch %s are counted, there are %s', coalesce(kept.n, 0), status, batch_id, coalesce(there.n, 0))
    from (select batch_id, status, sum(n) as n from batch_counters group by batch_id, status having sum(n) <> 0) as kept
    full join (select batch_id, status, count(*) as n from task where batch_id is not null group by batch_id, status) as there
   using (batch_id, status)
   where $1 is null
     and kept.n is distinct from there.n
  union all
  select id || ' is pending in no packet' from task as t
   where status = 'pending' and not exists (select from member as m where m.id = t.id)
  union all
  select id || ' runs in no packet of its worker' from task as t
   where status = 'processing'
     and not exists (select from member as m where m.id = t.id and m.worker_id = t.worker_id)
  union all
  select id || ' is scheduled and not in the schedule' from task as t
   where status = 'scheduled' and not exists (select from schedule as s where s.task_id = t.id)
  union all
  select id || ' is not among the stopped' from task as t
   where status in ('failed', 'canceled')
     and not exists (select from stopped as s where s.task_id = t.id and s.status = t.status)
   limit 20`

/** Counts that are not those of the table, and tasks that nothing finds again: of some tasks of one queue, or of all. */
export async function flawsOf(
  { run }: Database,
  { tasks, queue }: { tasks: readonly string[] | null; queue: string | null } = { tasks: null, queue: null },
): Promise<string[]> {
  return (await run<[string]>({ name: 'races.flaws', text }, [tasks, queue])).flat()
}
