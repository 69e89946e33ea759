import type { Batch, BatchLedger, BatchPage, BatchPageWish } from '../domain/batch.ts'
import type { Counts } from '../domain/stats.ts'
import type { NewBatch, Sequel } from '../domain/submission.ts'
import { type JsonText, type Status, statuses } from '../domain/task.ts'
import { int2s, int4s, int8s, texts, uuids } from './arrays.ts'
import { moveBatchCallback, storeBatchCallbacks } from './batch-callbacks.ts'
import { cancelSome, retrySome } from './batch-moves.ts'
import { recountNow } from './batch-recount.ts'
import type { Database, Run } from './connection.ts'
import { priorityOf, rankOf } from './rows.ts'

/** Batches: `moves` by key, with pinned plans; `looks` for what has to search. */
export function batchLedger({ moves, looks }: Record<'moves' | 'looks', Database>): BatchLedger {
  return {
    open: (batch) => moves.transaction((run) => storeBatches(run, [batch])),
    moveCallback: (id, queue) => moveBatchCallback(moves, id, queue),
    touch: async (id) => void (await moves.run(touch, [id])),
    close: async (id, lastId) => void (await moves.run(close, [id, lastId])),
    read: async (id) => (await readAll({ moves, looks }, [id]))[0],
    page: (wish) => page({ moves, looks }, wish),
    finished: async (ids) => (await moves.run<[string]>(readFinished, [uuids(ids)])).map(([id]) => id),
    cancelSome: (id, after) => cancelSome(moves, id, after),
    retrySome: (id, after) => retrySome(moves, id, after),
  }
}

const insertBatches = {
  name: 'batches.store',
  text: `
  insert into batches (id, total, first_id, last_id, importing, counted_at)
  select b.*, now() from unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::boolean[]) as b
      on conflict do nothing`,
}

const insertSequels = {
  name: 'batch-sequels.store',
  text: `
  insert into batch_sequels (batch_id, type, queue, priority, payload, max_attempts, timeout_ms, delay_ms, run_at, key,
                              callback_url)
  select batch_id, type, queue, priority, payload::json, max_attempts, timeout_ms, delay_ms, run_at, key,
         callback_url
    from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::smallint[], $7::bigint[],
                $8::bigint[], $9::timestamptz[], $10::text[], $11::text[])
      as t (batch_id, type, queue, priority, payload, max_attempts, timeout_ms, delay_ms, run_at, key, callback_url)
      on conflict do nothing`,
}

/** Stores batches, in the transaction of their tasks. */
export async function storeBatches(run: Run, batches: readonly NewBatch[]): Promise<void> {
  await run(insertBatches, [
    uuids(batches.map((batch) => batch.id)),
    int4s(batches.map((batch) => batch.total)),
    uuids(batches.map((batch) => batch.firstId)),
    uuids(batches.map((batch) => batch.lastId)),
    batches.map((batch) => batch.importing ?? false),
  ])
  const sequels = batches.flatMap(({ id, sequel }) => (sequel ? [{ id, sequel }] : []))
  if (sequels.length > 0) await run(insertSequels, sequelColumns(sequels))
  await storeBatchCallbacks(run, batches)
}

function sequelColumns(sequels: readonly { id: string; sequel: Sequel }[]): unknown[] {
  return [
    uuids(sequels.map(({ id }) => id)),
    texts(sequels.map(({ sequel }) => sequel.type)),
    texts(sequels.map(({ sequel }) => sequel.queue)),
    int2s(sequels.map(({ sequel }) => rankOf(sequel.priority))),
    texts(sequels.map(({ sequel }) => sequel.payload ?? null)),
    int2s(sequels.map(({ sequel }) => sequel.maxAttempts ?? null)),
    int8s(sequels.map(({ sequel }) => sequel.timeoutMs ?? null)),
    int8s(
      sequels.map(({ sequel: { due } }) =>
        typeof due === 'object' && 'afterMs' in due ? due.afterMs : null,
      ),
    ),
    sequels.map(({ sequel: { due } }) => (typeof due === 'object' && 'at' in due ? due.at : null)),
    texts(sequels.map(({ sequel }) => sequel.key ?? null)),
    texts(sequels.map(({ sequel }) => sequel.callbackUrl ?? null)),
  ]
}

/** The columns of a `then`, in the order of `SequelRow`. */
export const sequelRow =
  't.type, t.queue, t.priority, t.payload, t.max_attempts, t.timeout_ms, t.delay_ms, t.run_at, t.key, t.callback_url'

export type SequelRow = [
  type: string,
  queue: string,
  priority: number,
  payload: JsonText | null,
  maxAttempts: number | null,
  timeoutMs: number | null,
  delayMs: number | null,
  runAt: Date | null,
  key: string | null,
  callbackUrl: string | null,
]

export function toSequel([
  type,
  queue,
  rank,
  payload,
  maxAttempts,
  timeoutMs,
  delayMs,
  runAt,
  key,
  callbackUrl,
]: SequelRow): Sequel {
  const sequel: Sequel = { type, queue, priority: priorityOf(rank), due: 'now' }
  if (runAt !== null) sequel.due = { at: runAt.toISOString() }
  if (delayMs !== null) sequel.due = { afterMs: delayMs }
  if (payload !== null) sequel.payload = payload
  if (maxAttempts !== null) sequel.maxAttempts = maxAttempts
  if (timeoutMs !== null) sequel.timeoutMs = timeoutMs
  if (key !== null) sequel.key = key
  if (callbackUrl !== null) sequel.callbackUrl = callbackUrl
  return sequel
}

// A batch to which something is added is not at its end, even if its import was thought to be dead.
const touch = {
  name: 'batches.touch',
  text: 'update batches set touched_at = now(), importing = true, finished_at = null where id = $1',
}

const close = {
  name: 'batches.close',
  text: 'update batches set importing = false, last_id = $2 where id = $1 and importing',
}

const readFinished = {
  name: 'batches.read-finished',
  text: `
  select i.id
    from unnest($1::uuid[]) as i (id)
    left join batches as b on b.id = i.id
   where b.id is null
      or b.finished_at is not null`,
}

// Sums of a few rows, whatever the size of the batches.
const readBatches = {
  name: 'batches.read',
  text: `
  select b.id, b.created_at, b.finished_at, b.importing, b.counted_at is not null, t.task_id, c.status, c.n
    from batches as b
    left join lateral (select task_id from batch_sequels where batch_id = b.id limit 1) as t on true
    left join lateral (
      select status, sum(n)::bigint as n from batch_counters where batch_id = b.id group by status) as c on true
   where b.id = any ($1::uuid[])
   order by b.id desc`,
}

const readPage = {
  name: 'batches.page',
  text: 'select id from batches where $1::uuid is null or id < $1 order by id desc limit $2',
}

type BatchRow = [
  id: string,
  createdAt: Date,
  finishedAt: Date | null,
  importing: boolean,
  counted: boolean,
  thenId: string | null,
  status: Status | null,
  n: number | null,
]

/** A page of batches, newest first. */
async function page(
  databases: Record<'moves' | 'looks', Database>,
  { before, limit }: BatchPageWish,
): Promise<BatchPage> {
  const ids = (await databases.moves.run<[string]>(readPage, [before ?? null, limit + 1])).map(([id]) => id)
  const shown = ids.slice(0, limit)
  return { batches: await readAll(databases, shown), next: ids.length > limit ? shown.at(-1)! : null }
}

/** Batches that are there, newest first. */
async function readAll(
  databases: Record<'moves' | 'looks', Database>,
  ids: readonly string[],
): Promise<Batch[]> {
  const rows = await databases.moves.run<BatchRow>(readBatches, [uuids(ids)])
  const uncounted = [...new Set(rows.flatMap(([id, , , , isCounted]) => (isCounted ? [] : [id])))]
  for (const id of uncounted) await recountNow(databases.looks, id)
  if (uncounted.length > 0) return readAll(databases, ids)
  return [...Map.groupBy(rows, ([id]) => id).values()].map(toBatch)
}

/** Batches whose counters have been compared with their tasks once, as all that are finished have. */
export async function countedBatches(run: Run, ids: readonly string[]): Promise<Batch[]> {
  const rows = await run<BatchRow>(readBatches, [uuids(ids)])
  return [...Map.groupBy(rows, ([id]) => id).values()].map(toBatch)
}

function toBatch(rows: readonly BatchRow[]): Batch {
  const [id, createdAt, finishedAt, importing, , thenId] = rows[0]!
  const counts = countsOf(rows.map(([, , , , , , status, n]) => [status, n]))
  const total = statuses.reduce((sum, status) => sum + counts[status], 0)
  const isOver = counts.scheduled + counts.pending + counts.processing === 0
  return {
    id,
    total,
    counts,
    createdAt: createdAt.toISOString(),
    finishedAt: isOver && finishedAt ? finishedAt.toISOString() : null,
    importing,
    thenId,
  }
}

export function countsOf(rows: readonly (readonly [Status | null, number | null])[]): Counts {
  const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as Counts
  for (const [status, n] of rows) if (status !== null && n !== null) counts[status] = n
  return counts
}
