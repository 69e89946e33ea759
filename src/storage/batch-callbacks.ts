import type { BatchCallbackStore, EndedBatch } from '../domain/callback.ts'
import type { NewBatch } from '../domain/submission.ts'
import { texts, uuids } from './arrays.ts'
import { countedBatches } from './batches.ts'
import { endedIn } from './callbacks.ts'
import type { Database, Run } from './connection.ts'
import { storeLoad } from './tasks.ts'

/** Who is to be told of the ends of batches. */
export function batchCallbackStore(database: Database): BatchCallbackStore {
  return {
    ended: (after, limit) => endedIn(database, findEnded, { after, limit }),
    settle: (ids, loadOf) => database.transaction((run) => settle(run, ids, loadOf)),
  }
}

const findEnded = {
  name: 'batch-callbacks.ended',
  text: `
  with chunk as materialized (
    select batch_id from batch_callbacks where told_at is null and batch_id > $1 order by batch_id limit $2
  )
  select (select batch_id from chunk order by batch_id offset $2 - 1),
         array(select b.id
                 from chunk as c
                 join batches as b on b.id = c.batch_id
                where b.finished_at is not null)`,
}

// A row in another process's hands is passed by: it is being settled there.
const lockWaiting = {
  name: 'batch-callbacks.lock',
  text: `
  select batch_id, url, queue
    from batch_callbacks
   where batch_id = any ($1::uuid[])
     and told_at is null
   order by batch_id
     for update skip locked`,
}

const noteTold = {
  name: 'batch-callbacks.told',
  text: 'update batch_callbacks set told_at = now() where batch_id = any ($1::uuid[])',
}

async function settle(
  run: Run,
  ids: readonly string[],
  loadOf: Parameters<BatchCallbackStore['settle']>[1],
): ReturnType<BatchCallbackStore['settle']> {
  const waiting = await run<[id: string, url: string, queue: string]>(lockWaiting, [uuids(ids)])
  if (waiting.length === 0) return []
  const batches = await countedBatches(
    run,
    waiting.map(([id]) => id),
  )
  const byId = new Map(batches.map((batch) => [batch.id, batch]))
  const over = waiting.flatMap(([id, url, queue]): EndedBatch[] => {
    const batch = byId.get(id)
    return batch && batch.finishedAt !== null ? [{ batch, url, queue }] : []
  })
  if (over.length === 0) return []
  const { packets } = await storeLoad(run, loadOf(over))
  await run(noteTold, [uuids(over.map(({ batch }) => batch.id))])
  return packets
}

const storeCalled = {
  name: 'batch-callbacks.store',
  text: `
  insert into batch_callbacks (batch_id, url, queue)
  select * from unnest($1::uuid[], $2::text[], $3::text[])
      on conflict (batch_id) do nothing`,
}

/** Writes down the callbacks of batches that have one, within the transaction that stores the batches. */
export async function storeBatchCallbacks(run: Run, batches: readonly NewBatch[]): Promise<void> {
  const called = batches.flatMap(({ id, callback }) => (callback ? [{ id, ...callback }] : []))
  if (called.length === 0) return
  await run(storeCalled, [
    uuids(called.map(({ id }) => id)),
    texts(called.map(({ url }) => url)),
    texts(called.map(({ queue }) => queue)),
  ])
}

const moveCallback = {
  name: 'batch-callbacks.move',
  text: 'update batch_callbacks set queue = $2 where batch_id = $1',
}

/** Says in which queue the delivery waits, once the first task of an import is known. */
export async function moveBatchCallback({ run }: Database, batchId: string, queue: string): Promise<void> {
  await run(moveCallback, [batchId, queue])
}
