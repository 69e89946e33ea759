import type { Database } from './connection.ts'

const bringForward = {
  name: 'schedule.bring-forward',
  text: `
  with due as materialized (
    select task_id from schedule order by task_id for update
  ), locked as materialized (
    select id from tasks where id = any (array(select task_id from due)) order by id for update
  ), moved as (
    update schedule
       set run_at = run_at - $1 * interval '1 millisecond'
     where task_id in (select task_id from due)
  )
  update tasks
     set run_at = run_at - $1 * interval '1 millisecond'
   where id = any (array(select id from locked))
     and status = 'scheduled'`,
}

/**
 * For tests: what waits for its time is due that much sooner, which is what it would see of a clock that has moved.
 * The database's own clock cannot be moved, and the workers' heartbeats are read by it.
 */
export async function bringDueForward({ run }: Database, ms: number): Promise<void> {
  await run(bringForward, [ms])
}

const readLeft = {
  name: 'counters.read-left',
  text: `
  select (select coalesce(sum(n), 0) > 0 from counters where status in ('pending', 'processing'))
      or exists (select from schedule where run_at <= now())`,
}

/** Whether anything waits for a worker, runs or is due, wherever it waits: the counts move with the tasks. */
export async function hasWorkLeft({ run }: Database): Promise<boolean> {
  const [row] = await run<[boolean]>(readLeft)
  return row![0]
}
