import { fingerprintOf } from '../domain/fingerprint.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { PacketId, PacketRef } from '../domain/packet.ts'
import { int2s, int4s, int8s, texts, uuids } from './arrays.ts'
import { countBatchMoves, countEachBatchMove } from './batch-counters.ts'
import type { Database } from './connection.ts'
import { countEachMove, countMoves } from './counters.ts'
import { type PacketRow, packetRef } from './packets.ts'
import { rankOf } from './rows.ts'

type Completed = Extract<Outcome, { status: 'completed' }>
type Failed = Extract<Outcome, { status: 'failed' | 'scheduled' }>
type HandedBack = Extract<Outcome, { status: 'pending' }>

// The fence, in all three statements: the attempt must still be the task's own and running. The outcome of a
// worker that was declared dead, of a canceled task, or of a statement repeated after a lost connection matches
// no row and changes nothing.

const completeTasks = {
  name: 'tasks.complete',
  text: `
  with finished as (
    update tasks as t
       set status = 'completed', result = o.result::json, error = null, finished_at = now()
      from unnest($1::uuid[], $2::int[], $3::text[]) as o (id, attempt, result)
     where t.id = o.id
       and t.attempt = o.attempt
       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id
  ), counted as (${countMoves('finished', { from: 'processing', to: 'completed' })}
  ), batched as (${countBatchMoves('finished', { from: 'processing', to: 'completed' })}
  ), settled as (
    delete from packets where id = any ($4::bigint[]) and worker_id = $5
  )
  select distinct batch_id from finished where batch_id is not null`,
}

const failTasks = {
  name: 'tasks.fail',
  text: `
  with finished as (
    update tasks as t
       set status = o.status, error = o.error::json, failures = t.failures + 1, max_attempts = o.max_attempts,
           run_at = case o.status when 'scheduled' then now() + o.delay_ms * interval '1 millisecond' else t.run_at end,
           finished_at = case o.status when 'failed' then now() end
      from unnest($1::uuid[], $2::int[], $3::task_status[], $4::text[], $5::smallint[], $6::bigint[], $7::text[])
        as o (id, attempt, status, error, max_attempts, delay_ms, fingerprint)
     where t.id = o.id
       and t.attempt = o.attempt
       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.batch_id, t.attempt, t.error, t.started_at, t.worker_id, t.run_at, o.fingerprint,
              'processing'::task_status as from_status, t.status as to_status
  ), remembered as (
    insert into attempts (task_id, attempt, error, started_at, worker_id)
    select id, attempt, error, started_at, worker_id from finished
        on conflict do nothing
  ), again as (
    insert into schedule (task_id, run_at) select id, run_at from finished where to_status = 'scheduled'
        on conflict (task_id) do update set run_at = excluded.run_at
  ), stop as (
    insert into stopped (status, task_id, fingerprint)
    select 'failed', id, fingerprint from finished where to_status = 'failed' order by id
        on conflict (status, task_id) do update set fingerprint = excluded.fingerprint, stopped_at = excluded.stopped_at
  ), counted as (${countEachMove('finished')}
  ), batched as (${countEachBatchMove('finished')}
  )
  select distinct batch_id from finished where batch_id is not null and to_status = 'failed'`,
}

// A suspect comes back in a packet of its own, so that its next crash says more about it, and before all others.
const handBackTasks = {
  name: 'tasks.hand-back',
  text: `
  with handed as (
    update tasks as t
       set status = 'pending', worker_id = null, started_at = null, crashes = t.crashes + o.crashed
      from unnest($1::uuid[], $2::int[], $3::int[]) as o (id, attempt, crashed)
     where t.id = o.id
       and t.attempt = o.attempt
       and t.status = 'processing'
    returning t.id, t.queue, t.type, t.attempt, t.batch_id, case t.crashes when 0 then t.priority else ${rankOf('high')} end as priority
  ), packed as (
    insert into packets (queue, priority, task_ids)
    select queue, priority, array[id] from handed order by id
    returning id, queue, priority
  ), counted as (${countMoves('handed', { from: 'processing', to: 'pending' })}
  ), batched as (${countBatchMoves('handed', { from: 'processing', to: 'pending' })}
  )
  select id, queue, priority from packed`,
}

type Finishing = {
  outcomes: readonly Outcome[]
  settled: readonly PacketId[]
  /** Hears of the batches in which something became final. */
  touched?: (batchIds: readonly string[]) => void
}

/**
 * Writes outcomes, then lets go of the packets of which nothing is left, in that order: a packet is what finds
 * its tasks again, so it goes last. Answers the packets of tasks that were handed back.
 */
export async function finish(
  { run }: Database,
  workerId: string,
  { outcomes, settled, touched }: Finishing,
): Promise<PacketRef[]> {
  // In the order of the key: statements that lock the same rows in another order deadlock.
  const ordered = outcomes.toSorted((a, b) => (a.task.id < b.task.id ? -1 : 1))
  const failed = ordered.filter((outcome) => outcome.status === 'failed' || outcome.status === 'scheduled')
  const handedBack = ordered.filter((outcome) => outcome.status === 'pending')
  const completed = ordered.filter((outcome) => outcome.status === 'completed')
  const batches = failed.length > 0 ? await run<[string]>(failTasks, failedColumns(failed)) : []
  const rows = handedBack.length > 0 ? await run<PacketRow>(handBackTasks, handedBackColumns(handedBack)) : []
  if (completed.length > 0 || settled.length > 0) {
    batches.push(
      ...(await run<[string]>(completeTasks, [...completedColumns(completed), int8s(settled), workerId])),
    )
  }
  if (batches.length > 0) touched?.(batches.map(([id]) => id))
  return rows.map(packetRef)
}

function fenceColumns(outcomes: readonly Outcome[]): unknown[] {
  return [uuids(outcomes.map(({ task }) => task.id)), int4s(outcomes.map(({ task }) => task.attempt))]
}

function completedColumns(outcomes: readonly Completed[]): unknown[] {
  return [...fenceColumns(outcomes), texts(outcomes.map((outcome) => outcome.result))]
}

function failedColumns(outcomes: readonly Failed[]): unknown[] {
  return [
    ...fenceColumns(outcomes),
    outcomes.map((outcome) => outcome.status),
    texts(outcomes.map((outcome) => JSON.stringify(outcome.failure))),
    int2s(outcomes.map((outcome) => outcome.maxAttempts)),
    int8s(outcomes.map((outcome) => (outcome.status === 'scheduled' ? outcome.delayMs : null))),
    texts(outcomes.map((outcome) => fingerprintOf(outcome.failure))),
  ]
}

function handedBackColumns(outcomes: readonly HandedBack[]): unknown[] {
  return [...fenceColumns(outcomes), int4s(outcomes.map((outcome) => (outcome.crashed ? 1 : 0)))]
}
