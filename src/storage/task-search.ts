import { lowestId, lowestIdAt } from '../domain/id.ts'
import type { TaskScope } from '../domain/ports.ts'
import { uuids } from './arrays.ts'
import type { Run, Statement } from './connection.ts'

/** With no more waiting tasks than this, they are found through their packets; with more, they are most of the key. */
const fewPending = 20_000

/** Whether a row of tasks `t` is within the scope; its values begin at the parameter `$first`. */
export function fits(first: number): string {
  const at = (n: number) => `$${first + n}`
  return `
         (${at(0)}::task_status[] is null or t.status = any (${at(0)}::task_status[]))
     and (${at(1)}::text is null or t.type = ${at(1)})
     and (${at(2)}::text is null or starts_with(t.type, ${at(2)}))
     and (${at(3)}::text is null or t.queue = ${at(3)})
     and (${at(4)}::text is null or t.key = ${at(4)})
     and (${at(5)}::uuid is null or t.batch_id = ${at(5)})
     and (${at(6)}::uuid is null or t.worker_id = ${at(6)})
     and (${at(7)}::timestamptz is null or t.created_at >= ${at(7)})
     and (${at(8)}::timestamptz is null or t.created_at < ${at(8)})`
}

/** The values of `fits`. */
export function scopeValues(scope: TaskScope): unknown[] {
  const { type } = scope
  const isPrefix = type?.endsWith('*') === true
  return [
    scope.fingerprint === undefined ? (scope.status ?? null) : ['failed'],
    isPrefix ? null : (type ?? null),
    isPrefix ? type!.slice(0, -1) : null,
    scope.queue ?? null,
    scope.key ?? null,
    scope.batchId ?? null,
    scope.workerId ?? null,
    scope.createdAfter ?? null,
    scope.createdBefore ?? null,
  ]
}

type Way = 'desc' | 'asc'

// What was looked at, how far, and what of it fits.
//
// $1 before, $2 from, $3 how many to look at, $4 how many to find, $5 and on: the scope
const byKey = (way: Way) => ({
  name: `tasks.search-key-${way}`,
  text: `
  with page as materialized (
    select t.id, ${fits(5)} as fits
      from tasks as t
     where t.id < $1 and t.id >= $2
     order by t.id ${way}
     limit $3
  )
  select (select count(*) from page), (select id from page order by id ${opposite(way)} limit 1),
         array(select id from page where fits order by id ${way} limit $4)`,
})

// By an array and not by a join, which might be planned to read all of tasks.
const byCandidates = (name: string, way: Way, candidates: string) => ({
  name: `tasks.search-${name}-${way}`,
  text: `
  with candidate as (${candidates}
  ), page as materialized (
    select distinct task_id from candidate order by task_id ${way} limit $3
  )
  select (select count(*) from page), (select task_id from page order by task_id ${opposite(way)} limit 1),
         array(select t.id
                 from tasks as t
                where t.id = any (array(select task_id from page))
                  and ${fits(5)}
                order by t.id ${way}
                limit $4)`,
})

// What is not completed is found through the small tables, whatever the size of the large one. A task may be in
// several packets; without `distinct` a step that is full would look like the last one.
function unfinished(way: Way): string {
  const inRange = `task_id < $1 and task_id >= $2 order by task_id ${way} limit $3`
  return `
    (select task_id from stopped where status = 'failed' and 'failed' = any ($5) and ${inRange})
    union all
    (select task_id from stopped where status = 'canceled' and 'canceled' = any ($5) and ${inRange})
    union all
    (select task_id from schedule where 'scheduled' = any ($5) and ${inRange})
    union all
    (select task_id from parked where 'pending' = any ($5) and ${inRange})
    union all
    (select distinct task_id
       from packets as p cross join lateral unnest(p.task_ids) as u (task_id)
      where (p.worker_id is not null and ('processing' = any ($5) or 'pending' = any ($5))
             or p.worker_id is null and 'pending' = any ($5))
        and ($11::uuid is null or 'processing' <> all ($5) or p.worker_id = $11 or p.worker_id is null)
        and ${inRange})`
}

const alike = (way: Way) => `
    select task_id from stopped
     where fingerprint = $14 and task_id < $1 and task_id >= $2
       and ($15::uuid[] is null or task_id = any ($15::uuid[]))
     order by task_id ${way}
     limit $3`

const named = `
    select task_id from unnest($14::uuid[]) as u (task_id) where task_id < $1 and task_id >= $2`

const opposite = (way: Way): Way => (way === 'desc' ? 'asc' : 'desc')

const statements = {
  key: { desc: byKey('desc'), asc: byKey('asc') },
  unfinished: {
    desc: byCandidates('unfinished', 'desc', unfinished('desc')),
    asc: byCandidates('unfinished', 'asc', unfinished('asc')),
  },
  alike: {
    desc: byCandidates('alike', 'desc', alike('desc')),
    asc: byCandidates('alike', 'asc', alike('asc')),
  },
  named: { desc: byCandidates('named', 'desc', named), asc: byCandidates('named', 'asc', named) },
}

/** Ids from `from` on and below `before`. */
export type Range = { before: string; from: string }

/** What a step of a search has come to: `last` is the id that it looked at last; null at the end of the range. */
export type Found = { ids: string[]; last: string | null }

export type Search = {
  range: Range
  step(range: Range, want: { look: number; find: number }): Promise<Found>
}

/** A search for all of a scope, in one way or the other; undefined where nothing can be found. */
export async function openSearch(run: Run, scope: TaskScope, way: Way): Promise<Search | undefined> {
  const range = await rangeOf(run, scope)
  if (!range) return undefined
  const kind = await kindOf(run, scope)
  const statement: Statement = statements[kind][way]
  const ids = scope.ids ? uuids(scope.ids) : null
  const own = kind === 'alike' ? [scope.fingerprint, ids] : kind === 'named' ? [ids] : []
  const values = [...scopeValues(scope), ...own]
  return {
    range,
    async step({ before, from }, { look, find }) {
      const rows = await run<[number, string | null, string[]]>(statement, [
        before,
        from,
        look,
        find,
        ...values,
      ])
      const [seen, last, ids] = rows[0]!
      return { ids, last: seen < look ? null : last }
    },
  }
}

async function kindOf(run: Run, scope: TaskScope): Promise<keyof typeof statements> {
  const { status, batchId, fingerprint } = scope
  if (fingerprint !== undefined) return 'alike'
  if (scope.ids) return 'named'
  if (!status || status.includes('completed') || batchId) return 'key'
  if (!status.includes('pending')) return 'unfinished'
  const [pending] = await run<[number]>(readPending)
  return pending![0] <= fewPending ? 'unfinished' : 'key'
}

const readPending = {
  name: 'counters.pending',
  text: `select coalesce(sum(n), 0)::bigint from counters where status = 'pending'`,
}
const readBatchRange = { name: 'batches.range', text: 'select first_id, last_id from batches where id = $1' }

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
/** An id is made before its row, by a clock that may differ a little: the range of the key is that much wider. */
const clockSlackMs = 300_000

async function rangeOf(run: Run, scope: TaskScope): Promise<Range | undefined> {
  const lows = [lowestId]
  const highs = [lastId]
  const { createdAfter, createdBefore, upTo, batchId } = scope
  if (createdAfter !== undefined) lows.push(lowestIdAt(Date.parse(createdAfter) - clockSlackMs))
  if (createdBefore !== undefined) highs.push(lowestIdAt(Date.parse(createdBefore) + clockSlackMs))
  if (upTo !== undefined) highs.push(idAfter(upTo))
  if (batchId !== undefined) {
    const [batch] = await run<[first: string, last: string]>(readBatchRange, [batchId])
    if (!batch) return undefined
    lows.push(batch[0])
    highs.push(idAfter(batch[1]))
  }
  return { from: lows.sort().at(-1)!, before: highs.sort()[0]! }
}

/** The next id after this one. */
export const idAfter = (id: string) => shifted(id, 1n)
/** The id just before this one. */
export const idBefore = (id: string) => shifted(id, -1n)

function shifted(id: string, by: bigint): string {
  const next = BigInt.asUintN(128, BigInt(`0x${id.replaceAll('-', '')}`) + by)
    .toString(16)
    .padStart(32, '0')
  return next.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const readAges = {
  name: 'clock.ago',
  text: `
  select now() - $1 * interval '1 millisecond', now() - $2 * interval '1 millisecond'`,
}

/** The scope with its ages as instants, by the clock of the database. */
export async function withInstants(run: Run, scope: TaskScope): Promise<TaskScope> {
  const { youngerThanMs, olderThanMs, ...rest } = scope
  if (youngerThanMs === undefined && olderThanMs === undefined) return scope
  const ages = [youngerThanMs ?? null, olderThanMs ?? null]
  const [after, before] = (await run<[Date | null, Date | null]>(readAges, ages))[0]!
  if (after) rest.createdAfter = latest(rest.createdAfter, after.toISOString())
  if (before) rest.createdBefore = earliest(rest.createdBefore, before.toISOString())
  return rest
}

const latest = (a: string | undefined, b: string) =>
  a === undefined || Date.parse(a) < Date.parse(b) ? b : a
const earliest = (a: string | undefined, b: string) =>
  a === undefined || Date.parse(a) > Date.parse(b) ? b : a
