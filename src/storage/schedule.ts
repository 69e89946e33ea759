import type { PacketRef } from '../domain/packet.ts'
import { countBatchMoves } from './batch-counters.ts'
import type { Database } from './connection.ts'
import { countMoves } from './counters.ts'
import { type PacketRow, packetRef } from './packets.ts'

// By arrays and not by joins: while the tables are empty, as they are at first, a join is planned to read all of tasks.
// Task and row are both locked before anything is decided, whatever the status was a moment ago: a row that is here from
// an earlier life of its task may just be becoming a new one, and must not go then. Nobody is waited for; what is passed
// by stays due.
const promoteDue = {
  name: 'schedule.promote',
  text: `
  with due as materialized (
    select task_id
      from schedule
     where run_at <= now()
     order by run_at
     limit $1
       for update skip locked
  ), locked as materialized (
    select id, status
      from tasks
     where id = any (array(select task_id from due))
     order by id
       for update skip locked
  ), here as materialized (
    select id from tasks where id = any (array(select task_id from due))
  ), gone as (
    delete from schedule
     where task_id in (select task_id from due where task_id in (select id from locked)
                                                  or task_id not in (select id from here))
  ), promoted as (
    update tasks as t
       set status = 'pending'
     where t.id = any (array(select id from locked where status = 'scheduled'))
    returning t.id, t.queue, t.type, t.attempt, t.batch_id, t.priority
  ), placed as (
    select *, (row_number() over (partition by queue, priority order by id) - 1) / $2 as piece from promoted
  ), packed as (
    insert into packets (queue, priority, task_ids)
    select queue, priority, array_agg(id order by id) from placed group by queue, priority, piece order by piece
    returning id, queue, priority
  ), counted as (${countMoves('promoted', { from: 'scheduled', to: 'pending' })}
  ), batched as (${countBatchMoves('promoted', { from: 'scheduled', to: 'pending' })}
  )
  select id, queue, priority from packed`,
}

const readNextDue = {
  name: 'schedule.next-due',
  text: `
  select extract(epoch from run_at - now())::float8 * 1000 from schedule order by run_at limit 1`,
}

/** Makes due tasks pending, at most `limit` of them, in packets of at most `packetSize`. */
export async function promote({ run }: Database, limit: number, packetSize: number) {
  const rows = await run<PacketRow>(promoteDue, [limit, packetSize])
  const next = await run<[number]>(readNextDue)
  const packets: PacketRef[] = rows.map(packetRef)
  return { packets, nextInMs: next[0] === undefined ? null : Math.max(0, next[0][0]) }
}
