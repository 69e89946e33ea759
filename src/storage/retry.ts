// What the statements have in common that make ended tasks pending again, of one task or of a batch.

/** Of `t`. A sealed partition is about to be dropped and its rows are counted already, so nothing in it may move. */
export const isNotSealed = `not exists (
         select from partitions as p where p.sealed_at is not null and t.id >= p.lower_id and t.id < p.upper_id)`

/** The rows of the earlier part `locked`, as if they had never run but for their attempt's number. */
export const startOver = `update tasks as t
       set status = 'pending', failures = 0, crashes = 0, result = null, error = null,
           run_at = now(), started_at = null, finished_at = null, worker_id = null
      from locked as l
     where t.id = l.id`

/** What was noted when the tasks of the part `retried` ended; the next end is told again. */
export const forgetTheEnd = `  ), forgotten as (
    delete from stopped as s using retried as r where s.status = r.from_status and s.task_id = r.id
  ), untold as (
    update callbacks set told_at = null where task_id in (select id from retried)`
