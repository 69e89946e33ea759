import { countEachBatchMove } from './batch-counters.ts'
import { countEachMove } from './counters.ts'

/**
 * The parts of a statement that cancel what is `locked` and not final, with everything that belongs to it; `canceled`
 * has what was. Those who lock do so in the order of the key: bulk updates of overlapping sets deadlock even with sorted
 * arrays. Who waited for such a lock does not see rows that the other has just put into schedule and stopped, so a few
 * may stay there after their task has moved on. Readers ask the task for its status.
 */
export function cancelLocked(columns = 't.id, t.queue, t.type, t.batch_id, t.attempt'): string {
  return `canceled as (
    update tasks as t
       set status = 'canceled', finished_at = now()
      from locked as l
     where t.id = l.id
       and l.status in ('scheduled', 'pending', 'processing')
    returning ${columns}, l.status as from_status, 'canceled'::task_status as to_status
  ), unscheduled as (
    delete from schedule where task_id = any (array(select id from canceled where from_status = 'scheduled'))
  ), noted as (
    insert into stopped (status, task_id) select 'canceled', id from canceled order by id
        on conflict (status, task_id) do update set stopped_at = excluded.stopped_at
  ), counted as (${countEachMove('canceled')}
  ), batched as (${countEachBatchMove('canceled')}
  )`
}
