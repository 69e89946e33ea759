import type { CallbackStore } from '../domain/callback.ts'
import { lowestId } from '../domain/id.ts'
import type { NewTask } from '../domain/submission.ts'
import type { Task } from '../domain/task.ts'
import { texts, uuids } from './arrays.ts'
import type { Database, Run, Statement } from './connection.ts'
import { storeKeyed } from './keyed-tasks.ts'
import { toWholeTask, type WholeTaskRow, wholeTask } from './rows.ts'

/** Who is to be told of the ends of tasks. */
export function callbackStore(database: Database): CallbackStore {
  return {
    ended: (after, limit) => endedIn(database, findEnded, { after, limit }),
    settle: (ids, deliveryOf, loadOf) =>
      database.transaction((run) => settle(run, ids, { deliveryOf, loadOf })),
  }
}

// A chunk is read whole by its key and its tasks by theirs, so a look costs the same whatever the tables hold.
const findEnded = {
  name: 'callbacks.ended',
  text: `
  with chunk as materialized (
    select task_id from callbacks where told_at is null and task_id > $1 order by task_id limit $2
  )
  select (select task_id from chunk order by task_id offset $2 - 1),
         array(select t.id
                 from chunk as c
                 join tasks as t on t.id = c.task_id
                where t.status in ('completed', 'failed', 'canceled'))`,
}

/** A look of `statement` at the next of those who wait, and which of them have ended. */
export async function endedIn(
  { run }: Database,
  statement: Statement,
  { after, limit }: { after: string | null; limit: number },
) {
  const [row] = await run<[next: string | null, ids: string[]]>(statement, [after ?? lowestId, limit])
  return { next: row![0], ids: row![1] }
}

// A row in another process's hands is passed by: it is being settled there, or its task is being retried, and then it
// ends again. The first final task comes whatever it weighs.
const lockEnded = {
  name: 'callbacks.lock',
  text: `
  with waiting as materialized (
    select task_id, url
      from callbacks
     where task_id = any ($1::uuid[])
       and told_at is null
     order by task_id
       for update skip locked
  ), final as materialized (
    select w.url, t.id, octet_length(t.payload::text) + coalesce(octet_length(t.result::text), 0) as bytes
      from waiting as w
      join tasks as t on t.id = w.task_id
     where t.status in ('completed', 'failed', 'canceled')
  ), portion as materialized (
    select f.url, f.id, sum(f.bytes) over (order by f.id) - f.bytes as before from final as f
  )
  select p.url, ${wholeTask}
    from portion as p
    join tasks as t on t.id = p.id
   where p.before < $2
   order by t.id
   limit $3`,
}

// What is completed stays so, and nobody will ask for it again. What failed or was canceled may be retried.
const noteTold = {
  name: 'callbacks.told',
  text: `
  with gone as (
    delete from callbacks where task_id = any ($1::uuid[])
  )
  update callbacks set told_at = now() where task_id = any ($2::uuid[])`,
}

const portionBytes = 8_000_000
const portionTasks = 500

type Deliveries = {
  deliveryOf: Parameters<CallbackStore['settle']>[1]
  loadOf: Parameters<CallbackStore['settle']>[2]
}

async function settle(run: Run, ids: readonly string[], { deliveryOf, loadOf }: Deliveries) {
  const locked = await run<[url: string, ...WholeTaskRow]>(lockEnded, [
    uuids(ids),
    portionBytes,
    portionTasks,
  ])
  if (locked.length === 0) return { settled: 0, packets: [] }
  const ended = locked.map(([url, ...task]) => ({ url, task: toWholeTask(task) }))
  const deliveries = ended.map(({ url, task }) => deliveryOf(task, url))
  const { packets } = await storeKeyed(run, deliveries, { allOrNothing: false, loadOf })
  const idsOf = (isCompleted: boolean) =>
    uuids(ended.flatMap(({ task }) => ((task.status === 'completed') === isCompleted ? [idOf(task)] : [])))
  await run(noteTold, [idsOf(true), idsOf(false)])
  return { settled: ended.length, packets }
}

function idOf({ id }: Task): string {
  return id
}

const storeCalled = {
  name: 'callbacks.store',
  text: `
  insert into callbacks (task_id, url)
  select * from unnest($1::uuid[], $2::text[])
      on conflict (task_id) do nothing`,
}

/** Writes down the callbacks of tasks that have one, within the transaction that stores the tasks. */
export async function storeCallbacks(run: Run, called: readonly NewTask[]): Promise<void> {
  const urls = texts(called.map((task) => task.callbackUrl!))
  await run(storeCalled, [uuids(called.map((task) => task.id)), urls])
}
