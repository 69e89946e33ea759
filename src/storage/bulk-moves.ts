import type { BulkVerb, LotDone } from '../domain/bulk-action.ts'
import type { AttemptRef } from '../domain/ports.ts'
import type { Status } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import { cancelLocked } from './cancel.ts'
import type { Run } from './connection.ts'
import { type PacketRow, packetRef } from './packets.ts'
import { isNotSealed, packRetried, retryLocked } from './retry.ts'

// As `tasks.cancel`, without handing the tasks out. $1 ids, $2 the statuses that are meant
const cancelLot = {
  name: 'bulk.cancel',
  text: `
  with locked as materialized (
    select *
      from tasks
     where id = any ($1::uuid[])
       and status = any ($2::task_status[])
       and status in ('scheduled', 'pending', 'processing')
     order by id
       for update
  ), ${cancelLocked()}
  select (select count(*) from canceled), array(select distinct batch_id from canceled where batch_id is not null),
         id, attempt, null::bigint, null, null::int
    from (select 1) as always left join canceled on from_status = 'processing'`,
}

// As `tasks.retry`, in packets of many.
const retryLot = {
  name: 'bulk.retry',
  text: `
  with locked as materialized (
    select *
      from tasks as t
     where id = any ($1::uuid[])
       and status = any ($2::task_status[])
       and status in ('failed', 'canceled')
       and ${isNotSealed}
     order by id
       for update
  ), ${retryLocked()}, ${packRetried}
  select (select count(*) from retried), '{}'::uuid[], null::uuid, null::int, id, queue, priority
    from (select 1) as always left join packed on true`,
}

// What has ended goes, with what is kept beside it, and its counts go with it, those of its batch too. What belongs to
// a batch that is not finished stays: whoever hears of the end of the batch is told what its tasks have come to.
const deleteLot = {
  name: 'bulk.delete',
  text: `
  with locked as materialized (
    select id, queue, type, status, batch_id, idempotency_key
      from tasks as t
     where id = any ($1::uuid[])
       and status = any ($2::task_status[])
       and status in ('completed', 'failed', 'canceled')
       and ${isNotSealed}
       and coalesce((select b.finished_at is not null from batches as b where b.id = t.batch_id), true)
     order by id
       for update
  ), gone as (
    delete from tasks where id = any (array(select id from locked)) returning id
  ), unstopped as (
    delete from stopped as s using locked as l where s.status = l.status and s.task_id = l.id
  ), untold as (
    delete from callbacks where task_id = any (array(select id from locked))
  ), unproven as (
    delete from attempts where task_id = any (array(select id from locked))
  ), unsaid as (
    delete from progress where task_id = any (array(select id from locked))
  ), unkeyed as (
    delete from idempotency_keys
     where key = any (array(select idempotency_key from locked where idempotency_key is not null))
       and task_id = any (array(select id from locked))
  ), counted as (
    insert into counters as c (slot, queue, type, status, n)
    select pg_backend_pid(), queue, type, status, -count(*) from locked group by queue, type, status
        on conflict (slot, queue, type, status) do update set n = c.n + excluded.n
  ), batched as (
    insert into batch_counters as c (batch_id, slot, status, n)
    select batch_id, pg_backend_pid(), status, -count(*) from locked where batch_id is not null group by batch_id, status
        on conflict (batch_id, slot, status) do update set n = c.n + excluded.n
  )
  select (select count(*) from gone), '{}'::uuid[], null::uuid, null::int, null::bigint, null, null::int`,
}

const statements = { cancel: cancelLot, retry: retryLot, delete: deleteLot }

type LotRow = [
  done: number,
  batchIds: string[],
  interruptedId: string | null,
  attempt: number | null,
  ...packet: PacketRow | [null, null, null],
]

/** Cancels, retries or deletes those of these tasks that are in one of the statuses. */
export async function moveLot(
  run: Run,
  action: BulkVerb,
  { ids, statuses }: { ids: readonly string[]; statuses: readonly Status[] },
): Promise<LotDone> {
  const rows = await run<LotRow>(statements[action], [uuids(ids), statuses])
  const [done, batchIds] = rows[0]!
  const interrupted: AttemptRef[] = rows.flatMap(([, , id, attempt]) =>
    id === null ? [] : [{ id, attempt: attempt! }],
  )
  const packets = rows.flatMap(([, , , , id, queue, priority]) =>
    id === null ? [] : [packetRef([id, queue!, priority!])],
  )
  return { done, batchIds, interrupted, packets }
}
