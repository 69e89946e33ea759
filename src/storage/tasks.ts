import type { Change, Load, Stored, TaskStore } from '../domain/ports.ts'
import type { Due, NewTask } from '../domain/submission.ts'
import type { Status } from '../domain/task.ts'
import { int2s, int4s, int8s, texts, uuids } from './arrays.ts'
import { countBatchMoves } from './batch-counters.ts'
import { storeBatches } from './batches.ts'
import { storeCallbacks } from './callbacks.ts'
import { cancelLocked } from './cancel.ts'
import type { Database, Run } from './connection.ts'
import { countMoves } from './counters.ts'
import { submitKeyed } from './keyed-tasks.ts'
import { type PacketRow, packetRef } from './packets.ts'
import { isNotSealed, retryLocked } from './retry.ts'
import { rankOf, toWholeTask, type WholeTaskRow, wholeTask } from './rows.ts'

/** The moves of tasks that clients ask for. `touched` hears of batches in which something became final. */
export function taskStore(
  database: Database,
  touched: (batchIds: readonly string[]) => void = () => {},
): TaskStore {
  return {
    submit: (load) => submit(database, load),
    submitKeyed: (tasks, options) => submitKeyed(database, tasks, options),
    async cancel(ids) {
      const changes = await cancel(database, ids)
      const batches = changes.flatMap(({ changed, task }) => (changed && task.batchId ? [task.batchId] : []))
      if (batches.length > 0) touched(batches)
      return changes
    },
    retry: (ids) => retry(database, ids),
  }
}

type Variant = { column: string; parameter: string; more: string }

/** `more`: further parts, which may look at what was `stored`. */
const pendingText = ({ column, parameter, more }: Variant) => `
  with stored as (
    insert into tasks (id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key, status${column})
    select id, type, queue, priority, payload::json, max_attempts, timeout_ms, batch_id, idempotency_key, 'pending'${column}
      from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::smallint[], $7::bigint[],
                  $8::uuid[], $9::text[]${parameter})
        as t (id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key${column})
        on conflict (id) do nothing
    returning id, queue, type, attempt, batch_id
  ), packed as (
    insert into packets (queue, priority, task_ids)
    select queue, priority, ($1::uuid[])[first_task + 1 : last_task + 1]
      from unnest($10::text[], $11::smallint[], $12::int[], $13::int[])
        as p (queue, priority, first_task, last_task)
     where exists (select from stored)
    returning id, queue, priority
  ), counted as (${countMoves('stored', { to: 'pending' })}
  )${more}
  select now(), id, queue, priority from (select 1) as always left join packed on true`

const batched = `, batched as (${countBatchMoves('stored', { to: 'pending' })}
  )`

// Tasks with keys and those of batches have statements of their own, so that the others write nothing for them.
const storePending = {
  name: 'tasks.submit',
  text: pendingText({ column: '', parameter: '', more: '' }),
}
const storePendingBatched = {
  name: 'tasks.submit-batched',
  text: pendingText({ column: '', parameter: '', more: batched }),
}
const storePendingWithKeys = {
  name: 'tasks.submit-with-keys',
  text: pendingText({ column: ', key', parameter: ', $14::text[]', more: batched }),
}

function pendingStatement(tasks: readonly NewTask[]) {
  if (haveKeys(tasks)) return storePendingWithKeys
  return tasks.some((task) => task.batchId !== undefined) ? storePendingBatched : storePending
}

const storeScheduled = {
  name: 'tasks.submit-scheduled',
  text: scheduledText({ column: '', parameter: '' }),
}
const storeScheduledWithKeys = {
  name: 'tasks.submit-scheduled-with-keys',
  text: scheduledText({ column: ', key', parameter: ', $12::text[]' }),
}

function scheduledText({ column, parameter }: Omit<Variant, 'more'>): string {
  return `
  with task as materialized (
    select id, type, queue, priority, payload::json as payload, max_attempts, timeout_ms, batch_id, idempotency_key,
           coalesce(run_at, now() + delay_ms * interval '1 millisecond') as run_at${column}
      from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::smallint[], $7::bigint[],
                  $8::uuid[], $9::text[], $10::bigint[], $11::timestamptz[]${parameter})
        as t (id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key, delay_ms, run_at${column})
  ), stored as (
    insert into tasks (id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key, run_at, status${column})
    select id, type, queue, priority, payload, max_attempts, timeout_ms, batch_id, idempotency_key, run_at, 'scheduled'${column}
      from task
        on conflict (id) do nothing
    returning id, queue, type, attempt, batch_id, run_at
  ), due as (
    insert into schedule (task_id, run_at) select id, run_at from stored
  ), counted as (${countMoves('stored', { to: 'scheduled' })}
  ), batched as (${countBatchMoves('stored', { to: 'scheduled' })}
  )
  select now()`
}

async function submit(database: Database, load: Load): Promise<Stored> {
  const oneStatement = load.later.length === 0 && load.batches.length === 0 && !load.now.some(isCalledBack)
  return oneStatement ? storeLoad(database.run, load) : database.transaction((run) => storeLoad(run, load))
}

/** The statements that store a load, within the caller's transaction. */
export async function storeLoad(run: Run, { now, packets, later, batches }: Load): Promise<Stored> {
  if (batches.length > 0) await storeBatches(run, batches)
  if (later.length > 0) {
    const statement = haveKeys(later) ? storeScheduledWithKeys : storeScheduled
    await run(statement, [...taskColumns(later), ...dueColumns(later), ...keyColumn(later)])
  }
  const called = [now, later].flatMap((tasks) => tasks.filter(isCalledBack))
  if (called.length > 0) await storeCallbacks(run, called)
  const rows = await run<[Date, ...PacketRow] | [Date, null]>(pendingStatement(now), [
    ...taskColumns(now),
    texts(packets.map((packet) => packet.queue)),
    int2s(packets.map((packet) => rankOf(packet.priority))),
    int4s(packets.map((packet) => packet.first)),
    int4s(packets.map((packet) => packet.last)),
    ...keyColumn(now),
  ])
  const refs = rows.flatMap(([, ...packet]) => (packet[0] === null ? [] : [packetRef(packet as PacketRow)]))
  return { at: rows[0]![0].toISOString(), packets: refs }
}

function isCalledBack({ callbackUrl }: NewTask): boolean {
  return callbackUrl !== undefined
}

function taskColumns(tasks: readonly NewTask[]): unknown[] {
  return [
    uuids(tasks.map((task) => task.id)),
    texts(tasks.map((task) => task.type)),
    texts(tasks.map((task) => task.queue)),
    int2s(tasks.map((task) => rankOf(task.priority))),
    texts(tasks.map((task) => task.payload)),
    int2s(tasks.map((task) => task.maxAttempts ?? null)),
    int8s(tasks.map((task) => task.timeoutMs ?? null)),
    uuids(tasks.map((task) => task.batchId ?? null)),
    texts(tasks.map((task) => task.idempotencyKey ?? null)),
  ]
}

const haveKeys = (tasks: readonly NewTask[]) => tasks.some((task) => task.key !== undefined)

function keyColumn(tasks: readonly NewTask[]): unknown[] {
  return haveKeys(tasks) ? [texts(tasks.map((task) => task.key ?? null))] : []
}

function dueColumns(tasks: readonly NewTask[]): unknown[] {
  return [int8s(tasks.map((task) => delayOf(task.due))), tasks.map((task) => instantOf(task.due))]
}

function delayOf(due: Due): number | null {
  return typeof due === 'object' && 'afterMs' in due ? due.afterMs : null
}

function instantOf(due: Due): string | null {
  return typeof due === 'object' && 'at' in due ? due.at : null
}

const cancelTasks = {
  name: 'tasks.cancel',
  text: `
  with locked as materialized (
    select *
      from tasks
     where id = any ($1::uuid[])
     order by id
       for update
  ), ${cancelLocked('t.*')}
  select from_status, true, ${wholeTask} from canceled as t
   union all
  select status, false, ${wholeTask} from locked as t where id not in (select id from canceled)`,
}

async function cancel({ run }: Database, ids: readonly string[]): Promise<Change[]> {
  return changes(await run<ChangeRow>(cancelTasks, [uuids(ids)]))
}

type ChangeRow = [from: Status, changed: boolean, ...WholeTaskRow]

function changes(rows: readonly ChangeRow[]): Change[] {
  return rows.map(([from, changed, ...task]) => ({ from, changed, task: toWholeTask(task) }))
}

const retryTasks = {
  name: 'tasks.retry',
  text: `
  with locked as materialized (
    select *
      from tasks as t
     where id = any ($1::uuid[])
       and ${isNotSealed}
     order by id
       for update
  ), ${retryLocked('t.*')}, packed as (
    insert into packets (queue, priority, task_ids)
    select queue, priority, array[id] from retried order by id
    returning id, queue, priority, task_ids[1] as task_id
  )
  select p.id, p.queue, p.priority, from_status, true, ${wholeTask}
    from retried as t join packed as p on p.task_id = t.id
   union all
  select null, null, null, status, false, ${wholeTask}
    from locked as t where id not in (select id from retried)`,
}

async function retry({ run }: Database, ids: readonly string[]) {
  const rows = await run<[...(PacketRow | [null, null, null]), ...ChangeRow]>(retryTasks, [uuids(ids)])
  return {
    changes: changes(rows.map(([, , , ...change]) => change)),
    packets: rows.flatMap(([id, queue, priority]) =>
      id === null ? [] : [packetRef([id, queue!, priority!])],
    ),
  }
}
