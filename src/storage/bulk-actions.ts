import {
  type BulkAction,
  type BulkLot,
  type BulkPageWish,
  type BulkStatus,
  type BulkStore,
  type BulkVerb,
  type LotDone,
  type NewBulkAction,
  type OpenBulkAction,
  statusesOf,
} from '../domain/bulk-action.ts'
import { lowestIdAt } from '../domain/id.ts'
import type { TaskScope } from '../domain/ports.ts'
import type { JsonText } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import { moveLot } from './bulk-moves.ts'
import type { Database, Row, Run } from './connection.ts'
import { idAfter, openSearch, withInstants } from './task-search.ts'

/** Tasks that one transaction does, and how many one look finds at most. */
const lotSize = 500
const lookSize = 20_000

/** Bulk actions: `moves` by key, with pinned plans; `looks` for what has to search. */
export function bulkStore({ moves, looks }: Record<'moves' | 'looks', Database>): BulkStore {
  return {
    create: (action) => create(looks, action),
    async read(id) {
      const [row] = await looks.run<ActionRow>(readOne, [id])
      return row && toAction(row)
    },
    page: (wish) => page(looks, wish),
    start: (id) => isDone(looks, begin, [id]),
    abort: (id) => isDone(looks, abort, [id]),
    fail: async (id, reason) => void (await looks.run(fail, [id, reason])),
    take: (processId, leaseMs) => take(looks, processId, leaseMs),
    countSome: (action) => countSome(looks, action),
    nextLot: (id) => nextLot(looks, id),
    doLot: (action, lot) => doLot(moves, action, lot),
    forget: (retentionDays) => forget(looks, retentionDays),
  }
}

async function isDone<R extends Row>(
  { run }: Database,
  statement: { name: string; text: string },
  values: unknown[],
) {
  return (await run<R>(statement, values)).length > 0
}

const readNow = { name: 'clock.now', text: 'select clock_timestamp()' }
const insertOne = {
  name: 'bulk-actions.create',
  text: `
  insert into bulk_actions (id, action, filter, scope, status, starts)
  values ($1, $2, $3::json, $4::json, 'counting', $5)
      on conflict (id) do nothing`,
}

/** What is meant is what there is now, and ages are as of now. */
async function create({ run }: Database, { id, action, filter, scope, start }: NewBulkAction): Promise<void> {
  const [now] = (await run<[Date]>(readNow))[0]!
  const frozen: TaskScope = {
    ...(await withInstants(run, scope)),
    status: scope.status ?? statusesOf[action],
    upTo: lowestIdAt(now.getTime() + 1),
  }
  await run(insertOne, [id, action, filter, JSON.stringify(frozen), start])
}

const columns = `id, action, filter, status, matched, done, skipped, busy_ms, created_at, started_at, finished_at, error`
const readOne = { name: 'bulk-actions.read', text: `select ${columns} from bulk_actions where id = $1` }
const readPage = {
  name: 'bulk-actions.page',
  text: `select ${columns} from bulk_actions where $1::uuid is null or id < $1 order by id desc limit $2`,
}

type ActionRow = [
  id: string,
  action: BulkVerb,
  filter: JsonText,
  status: BulkStatus,
  matched: number,
  done: number,
  skipped: number,
  busyMs: number,
  createdAt: Date,
  startedAt: Date | null,
  finishedAt: Date | null,
  error: string | null,
]

function toAction(row: ActionRow): BulkAction {
  const [
    id,
    action,
    filter,
    status,
    matched,
    done,
    skipped,
    busyMs,
    createdAt,
    startedAt,
    finishedAt,
    error,
  ] = row
  const rate = busyMs > 0 ? ((done + skipped) / busyMs) * 1000 : null
  const left = matched - done - skipped
  return {
    ...{ id, action, filter, status, matched, done, skipped, error },
    ratePerSecond: rate === null ? null : Math.round(rate * 10) / 10,
    remainingMs: status === 'running' && rate ? Math.round((left / rate) * 1000) : null,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  }
}

async function page({ run }: Database, { limit, before }: BulkPageWish) {
  const rows = await run<ActionRow>(readPage, [before ?? null, limit + 1])
  const actions = rows.slice(0, limit).map(toAction)
  return { actions, next: rows.length > limit ? actions.at(-1)!.id : null }
}

const begin = {
  name: 'bulk-actions.start',
  text: `
  update bulk_actions
     set starts = true, status = case status when 'ready' then 'running' else status end,
         started_at = case status when 'ready' then now() else started_at end
   where id = $1
     and status in ('counting', 'ready', 'running')
  returning id`,
}

const abort = {
  name: 'bulk-actions.abort',
  text: `
  with aborted as (
    update bulk_actions
       set status = 'aborted', finished_at = now()
     where id = $1
       and status in ('counting', 'ready', 'running')
    returning id
  ), unlotted as (
    delete from bulk_action_lots where action_id in (select id from aborted)
  )
  select id from aborted union select id from bulk_actions where id = $1 and status = 'aborted'`,
}

const fail = {
  name: 'bulk-actions.fail',
  text: `
  with failed as (
    update bulk_actions
       set status = 'failed', finished_at = now(), error = $2
     where id = $1
       and status in ('counting', 'running')
    returning id
  )
  delete from bulk_action_lots where action_id in (select id from failed)`,
}

const takeOpen = {
  name: 'bulk-actions.take',
  text: `
  with open as materialized (
    select id
      from bulk_actions
     where status in ('counting', 'running')
       and (leased_by = $1 or leased_until is null or leased_until < now())
     order by id
     limit 10
       for update skip locked
  )
  update bulk_actions as b
     set leased_by = $1, leased_until = now() + $2 * interval '1 millisecond'
    from open as o
   where b.id = o.id
  returning b.id, b.action, b.status, b.scope, b.position`,
}

type OpenRow = [
  id: string,
  action: BulkVerb,
  status: OpenBulkAction['status'],
  scope: JsonText,
  position: string | null,
]

async function take({ run }: Database, processId: string, leaseMs: number): Promise<OpenBulkAction[]> {
  const rows = await run<OpenRow>(takeOpen, [processId, leaseMs])
  return rows.map(([id, action, status, scope, position]) => ({
    ...{ id, action, status, position },
    scope: JSON.parse(scope),
  }))
}

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

async function countSome({ run }: Database, { id, scope, position }: OpenBulkAction): Promise<void> {
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

async function nextLot({ run }: Database, id: string): Promise<BulkLot | undefined> {
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

async function doLot(database: Database, action: OpenBulkAction, lot: BulkLot): Promise<LotDone | undefined> {
  const statuses = statusesOf[action.action].filter((status) => action.scope.status?.includes(status) ?? true)
  return database.transaction(async (run: Run) => {
    if ((await run(lockRunning, [action.id])).length === 0) return undefined
    if ((await run(takeLot, [action.id, lot.firstId])).length === 0) return undefined
    const moved = await moveLot(run, action.action, { ids: lot.ids, statuses })
    await run(noteDone, [action.id, moved.done, lot.ids.length - moved.done])
    return moved
  })
}

const giveUp = {
  name: 'bulk-actions.give-up',
  text: `
  with late as (
    update bulk_actions
       set status = 'aborted', finished_at = now(), error = 'it was not started within a day'
     where status = 'ready'
       and created_at < now() - interval '1 day'
    returning id
  )
  delete from bulk_action_lots where action_id in (select id from late)`,
}
const forgetOld = {
  name: 'bulk-actions.forget',
  text: `delete from bulk_actions where finished_at < now() - $1 * interval '1 day'`,
}

async function forget({ run }: Database, retentionDays: number): Promise<void> {
  await run(giveUp)
  await run(forgetOld, [retentionDays])
}
