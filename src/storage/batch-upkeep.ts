import type { BatchUpkeep, Ended } from '../domain/batch.ts'
import type { Status } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import { foldBatchCounters, foldBatches } from './batch-counters.ts'
import { recountOne } from './batch-recount.ts'
import { countsOf, type SequelRow, sequelRow, toSequel } from './batches.ts'
import type { Database, Run } from './connection.ts'
import { storeLoad } from './tasks.ts'

/** What is done about batches that nobody asks for: `chores` is for what may take long. */
export function batchUpkeep({ moves, chores }: Record<'moves' | 'chores', Database>): BatchUpkeep {
  return {
    settle: (ids, loadOf) => settle(moves, ids, loadOf),
    unfinished: async (after, limit) =>
      (await moves.run<[string]>(readUnfinished, [after, limit])).map(([id]) => id),
    closeSilent: async (silentMs) => (await moves.run(closeSilent, [silentMs])).length,
    recountOne: (everyMs) => recountOne(chores, everyMs),
    foldCounters: () => foldBatchCounters(moves),
  }
}

const isOver = `
   b.finished_at is null
     and b.counted_at is not null
     and not b.importing
     and (select coalesce(sum(n), 0)
            from batch_counters as c
           where c.batch_id = b.id
             and c.status in ('scheduled', 'pending', 'processing')) = 0`

const readOver = {
  name: 'batches.read-over',
  text: `select b.id from batches as b where b.id = any ($1::uuid[]) and ${isOver}`,
}

const lockBatches = {
  name: 'batches.lock',
  text: 'select id from batches where id = any ($1::uuid[]) order by id for update',
}

const finishBatches = {
  name: 'batches.finish',
  text: `
  update batches as b
     set finished_at = now(),
         total = least(2147483647, (select coalesce(sum(n), 0) from batch_counters as c where c.batch_id = b.id))
   where b.id = any ($1::uuid[])
     and ${isOver}
  returning b.id`,
}

const readSequels = {
  name: 'batch-sequels.read',
  text: `
  select t.batch_id, ${sequelRow}, c.status, c.n
    from batch_sequels as t
    left join lateral (
      select status, sum(n)::bigint as n from batch_counters where batch_id = t.batch_id group by status) as c on true
   where t.batch_id = any ($1::uuid[])
     and t.task_id is null
   order by t.batch_id`,
}

const noteSequels = {
  name: 'batch-sequels.note',
  text: `
  update batch_sequels as t set task_id = n.task_id
    from unnest($1::uuid[], $2::uuid[]) as n (batch_id, task_id)
   where t.batch_id = n.batch_id`,
}

/**
 * Two looks, because what has changed while the lock was waited for is only visible to the second. A retry changes the
 * batch's row as well, so between the second look and the commit nothing of the batch comes to life.
 */
async function settle(
  database: Database,
  ids: readonly string[],
  loadOf: Parameters<BatchUpkeep['settle']>[1],
): ReturnType<BatchUpkeep['settle']> {
  const over = (await database.run<[string]>(readOver, [uuids(ids)])).map(([id]) => id)
  if (over.length === 0) return { finished: [], packets: [] }
  return database.transaction(async (run) => {
    await run(lockBatches, [uuids(over)])
    const finished = (await run<[string]>(finishBatches, [uuids(over)])).map(([id]) => id)
    if (finished.length === 0) return { finished, packets: [] }
    const ended = await endedOf(run, finished)
    await run(foldBatches, [uuids(finished)])
    if (ended.length === 0) return { finished, packets: [] }
    const { load, ids: taskIds } = loadOf(ended)
    const { packets } = await storeLoad(run, load)
    await run(noteSequels, [uuids(ended.map(({ id }) => id)), uuids(taskIds)])
    return { finished, packets }
  })
}

type EndedRow = [id: string, ...SequelRow, status: Status | null, n: number | null]

async function endedOf(run: Run, finished: readonly string[]): Promise<Ended[]> {
  const rows = await run<EndedRow>(readSequels, [uuids(finished)])
  return [...Map.groupBy(rows, ([id]) => id)].map(([id, own]) => ({
    id,
    counts: countsOf(own.map((row) => [row[11], row[12]])),
    sequel: toSequel(own[0]!.slice(1, 11) as SequelRow),
  }))
}

const readUnfinished = {
  name: 'batches.read-unfinished',
  text: 'select id from batches where finished_at is null and id > $1 order by id limit $2',
}

const closeSilent = {
  name: 'batches.close-silent',
  text: `
  update batches set importing = false
   where id in (select id from batches
                 where finished_at is null and importing and touched_at < now() - $1 * interval '1 millisecond'
                 order by id
                   for update skip locked)
  returning id`,
}
