import type { Step } from '../domain/batch.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { AttemptRef } from '../domain/ports.ts'
import { cancelLocked } from './cancel.ts'
import type { Database } from './connection.ts'
import { type PacketRow, packetRef } from './packets.ts'
import { isNotSealed, packRetried, retryLocked } from './retry.ts'

/** How far along the key a step goes: others' tasks may lie between those of an import. */
const stepIds = 1_000
// As `tasks.cancel`, without handing the tasks out: those of a large batch would not fit into any memory.
const cancelStep = {
  name: 'batches.cancel',
  text: `
  with page as materialized (
    select t.id
      from tasks as t
     where t.id > $2
       and t.id <= (select last_id from batches where id = $1)
     order by t.id
     limit $3
  ), locked as materialized (
    select *
      from tasks
     where id = any (array(select id from page))
       and batch_id = $1
       and status in ('scheduled', 'pending', 'processing')
     order by id
       for update
  ), ${cancelLocked()}
  select (select count(*) from canceled), (select id from page order by id desc limit 1),
         (select count(*) from page), id, attempt
    from (select 1) as always left join canceled on from_status = 'processing'`,
}

type CancelRow = [
  canceled: number,
  last: string | null,
  seen: number,
  id: string | null,
  attempt: number | null,
]

export async function cancelSome(
  { run }: Database,
  id: string,
  after: string,
): Promise<Step & { canceled: number; interrupted: AttemptRef[] }> {
  const rows = await run<CancelRow>(cancelStep, [id, after, stepIds])
  const [canceled, last, seen] = rows[0]!
  const interrupted = rows.flatMap(([, , , id, attempt]) => (id === null ? [] : [{ id, attempt: attempt! }]))
  return { canceled, interrupted, next: seen < stepIds ? null : last }
}

// As `tasks.retry`, found among what has stopped, and in packets of many.
const retryStep = {
  name: 'batches.retry',
  text: `
  with page as materialized (
    select task_id as id
      from stopped
     where status = 'failed'
       and task_id > $2
       and task_id <= (select last_id from batches where id = $1)
     order by task_id
     limit $3
  ), locked as materialized (
    select *
      from tasks as t
     where id = any (array(select id from page))
       and batch_id = $1
       and status = 'failed'
       and ${isNotSealed}
     order by id
       for update
  ), ${retryLocked()}, ${packRetried}
  select (select count(*) from retried), (select id from page order by id desc limit 1),
         (select count(*) from page), id, queue, priority
    from (select 1) as always left join packed on true`,
}

type RetryRow = [retried: number, last: string | null, seen: number, ...PacketRow]

export async function retrySome(
  { run }: Database,
  id: string,
  after: string,
): Promise<Step & { retried: number; packets: PacketRef[] }> {
  const rows = await run<RetryRow>(retryStep, [id, after, stepIds])
  const [retried, last, seen] = rows[0]!
  const packets = rows.flatMap(([, , , ...packet]) => (packet[0] === null ? [] : [packetRef(packet)]))
  return { retried, packets, next: seen < stepIds ? null : last }
}
