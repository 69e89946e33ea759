import {
  type BulkAction,
  type BulkPageWish,
  type BulkStatus,
  type BulkStore,
  type BulkVerb,
  type NewBulkAction,
  type OpenBulkAction,
  statusesOf,
} from '../domain/bulk-action.ts'
import { lowestIdAt } from '../domain/id.ts'
import type { TaskScope } from '../domain/ports.ts'
import type { JsonText } from '../domain/task.ts'
import { countSome, doLot, nextLot } from './bulk-lots.ts'
import type { Database, Row } from './connection.ts'
import { withInstants } from './task-search.ts'

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
