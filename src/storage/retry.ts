import { countEachBatchMove } from './batch-counters.ts'
import { countEachMove } from './counters.ts'

/** Of `t`. A sealed partition is about to be dropped and its rows are counted already, so nothing in it may move. */
export const isNotSealed = `not exists (
         select from partitions as p where p.sealed_at is not null and t.id >= p.lower_id and t.id < p.upper_id)`

/**
 * The parts of a statement that make what is `locked` and ended pending again, as if it had never run but for its
 * attempt's number; `retried` has what was. What was noted when it ended is forgotten: the next end is told again.
 */
export function retryLocked(columns = 't.id, t.queue, t.type, t.batch_id, t.attempt, t.priority'): string {
  return `retried as (
    update tasks as t
       set status = 'pending', failures = 0, crashes = 0, result = null, error = null,
           run_at = now(), started_at = null, finished_at = null, worker_id = null
      from locked as l
     where t.id = l.id
       and l.status in ('failed', 'canceled')
    returning ${columns}, l.status as from_status, 'pending'::task_status as to_status
  ), forgotten as (
    delete from stopped as s using retried as r where s.status = r.from_status and s.task_id = r.id
  ), untold as (
    update callbacks set told_at = null where task_id in (select id from retried)
  ), counted as (${countEachMove('retried')}
  ), batched as (${countEachBatchMove('retried')}
  ), reopened as (
    update batches set finished_at = null
     where id = any (array(select distinct batch_id from retried where batch_id is not null))
  )`
}

const packetTasks = 100

/** The parts that put what was `retried` into packets of many. */
export const packRetried = `placed as (
    select *, (row_number() over (partition by queue, priority order by id) - 1) / ${packetTasks} as piece from retried
  ), packed as (
    insert into packets (queue, priority, task_ids)
    select queue, priority, array_agg(id order by id) from placed group by queue, priority, piece order by piece
    returning id, queue, priority
  )`
