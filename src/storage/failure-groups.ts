import type {
  FailureGroup,
  FailureGroupPage,
  FailureGroups,
  FailureGroupWish,
  FailureOrder,
} from '../domain/failure-group.ts'
import { topFrame } from '../domain/fingerprint.ts'
import type { Database } from './connection.ts'

/** Failures that are alike, bound to a database. */
export function failureGroups(database: Database): FailureGroups {
  return {
    read: (wish) => read(database, wish),
    fold: async () => (await database.run<[number]>(fold, [foldAtOnce]))[0]![0] === foldAtOnce,
    forget: async (retentionDays) => {
      await database.run(forgetGroups, [retentionDays])
      await database.run(forgetHours)
    },
  }
}

const foldAtOnce = 5_000
/** So many types and queues are told of a group. */
const mostNames = 10

// SKIP LOCKED, so that two who fold take different rows; the groups in the order of their key.
const fold = {
  name: 'failures.fold',
  text: `
  with taken as materialized (
    delete from failure_changes
     where ctid = any (array(select ctid from failure_changes limit $1 for update skip locked))
    returning fingerprint, task_id, change, at
  ), grouped as materialized (
    select fingerprint, sum(change) as n, min(at) filter (where change > 0) as first_at, max(at) filter (where change > 0) as last_at,
           (array_agg(task_id order by at desc, task_id desc) filter (where change > 0))[1] as sample_id
      from taken
     group by fingerprint
  ), described as materialized (
    select g.*, t.type, t.queue, coalesce(t.error, a.error) as error
      from grouped as g
      left join lateral (select type, queue, error from tasks where id = g.sample_id) as t on true
      left join lateral (
        select error from attempts where task_id = g.sample_id order by attempt desc limit 1) as a on true
  ), counted as (
    insert into failure_hours as h (fingerprint, hour, n)
    select fingerprint, date_trunc('hour', at), count(*) from taken where change > 0 group by 1, 2 order by 1, 2
        on conflict (fingerprint, hour) do update set n = h.n + excluded.n
  ), folded as (
    insert into failure_groups as g (fingerprint, n, first_at, last_at, sample_id, error, types, queues)
    select fingerprint, n, first_at, last_at, sample_id, error, array_remove(array[type], null), array_remove(array[queue], null)
      from described
     order by fingerprint
        on conflict (fingerprint) do update
       set n = g.n + excluded.n,
           first_at = least(g.first_at, excluded.first_at),
           last_at = greatest(g.last_at, excluded.last_at),
           sample_id = case when excluded.last_at >= g.last_at or g.last_at is null then excluded.sample_id else g.sample_id end,
           error = case when excluded.last_at >= g.last_at or g.last_at is null then coalesce(excluded.error, g.error) else g.error end,
           types = case when excluded.types <@ g.types or cardinality(g.types) >= ${mostNames} then g.types
                        else g.types || excluded.types end,
           queues = case when excluded.queues <@ g.queues or cardinality(g.queues) >= ${mostNames} then g.queues
                         else g.queues || excluded.queues end
  )
  select count(*)::int from taken`,
}

const forgetGroups = {
  name: 'failures.forget',
  text: `delete from failure_groups where n <= 0 and coalesce(last_at, '-infinity') < now() - $1 * interval '1 day'`,
}
const forgetHours = {
  name: 'failures.forget-hours',
  text: `delete from failure_hours where hour < now() - interval '25 hours'`,
}

// With what is not folded yet, so that a group that has just been retried is not shown any more.
function readPage(order: FailureOrder) {
  const value = order === 'latest' ? 'g.last_at' : 'g.n'
  const type = order === 'latest' ? 'timestamptz' : 'bigint'
  return {
    name: `failures.read-${order}`,
    text: `
    with change as materialized (
      select fingerprint, sum(change) as n from failure_changes group by fingerprint
    ), page as materialized (
      select g.fingerprint, g.n + coalesce(c.n, 0) as n, g.first_at, g.last_at, g.sample_id, g.error, g.types, g.queues,
             ${value}::text as position
        from failure_groups as g
        left join change as c on c.fingerprint = g.fingerprint
       where g.n > 0
         and g.n + coalesce(c.n, 0) > 0
         and g.last_at is not null
         and ($1::text is null or (${value}, g.fingerprint) < ($1::${type}, $2))
         and ($3::text is null or $3 = any (g.types))
         and ($4::text is null or $4 = any (g.queues))
       order by ${value} desc, g.fingerprint desc
       limit $5
    )
    select p.*, array(
             select coalesce(h.n, 0)::int
               from generate_series(23, 0, -1) as ago
               left join failure_hours as h
                 on h.fingerprint = p.fingerprint and h.hour = date_trunc('hour', now()) - ago * interval '1 hour'
              order by ago desc)
      from page as p
     order by p.position::${type} desc, p.fingerprint desc`,
  }
}

const pages = { latest: readPage('latest'), most: readPage('most') }

type GroupRow = [
  fingerprint: string,
  n: number,
  firstAt: Date,
  lastAt: Date,
  sampleId: string,
  error: string | null,
  types: string[],
  queues: string[],
  position: string,
  trend: number[],
]

async function read(
  { run }: Database,
  { order, limit, after, type, queue }: FailureGroupWish,
): Promise<FailureGroupPage> {
  const from = [after?.value ?? null, after?.fingerprint ?? null]
  const rows = await run<GroupRow>(pages[order], [...from, type ?? null, queue ?? null, limit + 1])
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1)! : undefined
  return { groups: shown.map(toGroup), next: last ? { value: last[8], fingerprint: last[0] } : null }
}

function toGroup([
  fingerprint,
  n,
  firstAt,
  lastAt,
  sampleId,
  text,
  types,
  queues,
  ,
  trend,
]: GroupRow): FailureGroup {
  const error: { name?: unknown; message?: unknown; stack?: unknown } = text === null ? {} : JSON.parse(text)
  const frame = typeof error.stack === 'string' ? topFrame(error.stack).trim() : ''
  return {
    fingerprint,
    name: String(error.name ?? ''),
    message: String(error.message ?? ''),
    topFrame: frame === '' ? null : frame,
    types,
    queues,
    count: Number(n),
    firstSeenAt: firstAt.toISOString(),
    lastSeenAt: lastAt.toISOString(),
    sampleTaskId: sampleId,
    trend,
  }
}
