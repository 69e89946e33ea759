import { type BulkLot, type LotDone, type OpenBulkAction, statusesOf } from '../domain/bulk-action.ts'
import { uuids } from './arrays.ts'
import { moveLot } from './bulk-moves.ts'
import type { Database, Run } from './connection.ts'
import { idAfter, openSearch } from './task-search.ts'

/** Tasks that one transaction does, and how many one look finds at most. */
const lotSize = 500
const lookSize = 20_000

// Behind the position from which it was looked: who looked at the same time writes nothing.
const noteFound = {
  name: 'bulk-actions.note-found',
  text: `
  with noted as (
    update bulk_actions
       set position = $3, matched = matched + cardinality($4::uuid[]),
           status = case when $3::uuid is not null then 'counting' when starts then 'running' else 'ready' end,
           started_at = case when $3::uuid is null and starts then now() end
     where id = $1
       and status = 'counting'
       and position is not distinct from $2::uuid
    returning id
  )
  insert into bulk_action_lots (action_id, first_id, ids)
  select n.id, ($4::uuid[])[i], ($4::uuid[])[i : i + ${lotSize - 1}]
    from noted as n cross join generate_series(1, cardinality($4::uuid[]), ${lotSize}) as i`,
}

/** Finds the next of the tasks that are meant, and writes them down in lots. */
export async function countSome({ run }: Database, { id, scope, position }: OpenBulkAction): Promise<void> {
  const search = await openSearch(run, scope, 'asc')
  const { before, from } = search?.range ?? { before: '', from: '' }
  const range = { before, from: position !== null && position > from ? position : from }
  const found = await search?.step(range, { look: lookSize, find: lookSize })
  const { ids, last } = found ?? { ids: [], last: null }
  await run(noteFound, [id, position, last === null ? null : idAfter(last), uuids(ids)])
}

const readLot = {
  name: 'bulk-lots.next',
  text: 'select first_id, ids from bulk_action_lots where action_id = $1 order by first_id limit 1',
}

const end = {
  name: 'bulk-actions.end',
  text: `
  update bulk_actions
     set status = 'done', finished_at = now()
   where id = $1
     and status = 'running'
     and not exists (select from bulk_action_lots where action_id = $1)`,
}

/** The lot that comes next; the action ends where there is none. */
export async function nextLot({ run }: Database, id: string): Promise<BulkLot | undefined> {
  const [row] = await run<[string, string[]]>(readLot, [id])
  if (row) return { firstId: row[0], ids: row[1] }
  await run(end, [id])
  return undefined
}

// The row's lock keeps two from the same lot, and an abort from what is just being done.
const lockRunning = {
  name: 'bulk-actions.lock',
  text: `select id from bulk_actions where id = $1 and status = 'running' for update`,
}
const takeLot = {
  name: 'bulk-lots.take',
  text: 'delete from bulk_action_lots where action_id = $1 and first_id = $2 returning first_id',
}
const noteDone = {
  name: 'bulk-actions.note-done',
  text: `
  update bulk_actions
     set done = done + $2, skipped = skipped + $3, stepped_at = clock_timestamp(),
         busy_ms = busy_ms + case
           when stepped_at > clock_timestamp() - interval '5 seconds'
           then extract(epoch from clock_timestamp() - greatest(stepped_at, started_at)) * 1000
           else extract(epoch from clock_timestamp() - now()) * 1000 end
   where id = $1`,
}

/** Does what is to be done to a lot, which goes with it; undefined where somebody else did, or it was aborted. */
export async function doLot(
  database: Database,
  action: OpenBulkAction,
  lot: BulkLot,
): Promise<LotDone | undefined> {
  const statuses = statusesOf[action.action].filter((status) => action.scope.status?.includes(status) ?? true)
  return database.transaction(async (run: Run) => {
    if ((await run(lockRunning, [action.id])).length === 0) return undefined
    if ((await run(takeLot, [action.id, lot.firstId])).length === 0) return undefined
    const moved = await moveLot(run, action.action, { ids: lot.ids, statuses })
    await run(noteDone, [action.id, moved.done, lot.ids.length - moved.done])
    return moved
  })
}
