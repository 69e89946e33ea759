import type { LogPosition, Move } from '../domain/event.ts'
import type { LogPage, MoveLog } from '../domain/ports.ts'
import type { Status } from '../domain/task.ts'
import type { Database } from './connection.ts'
import { whileListened } from './listening.ts'

/** How long moves are written down for a listener that is not heard of. */
const listenSeconds = 60
/** Longer than that, so that who is heard of in time finds everything. */
const keepSeconds = 180
const pageRows = 5_000
const stepRows = 10_000

/** The part of a moving statement that writes the moves of `moved` down for those who listen to them. */
export function logMoves(moved: string, status: string): string {
  return whileListened(`
  ), heard as (
  insert into events (task_id, attempt, status, type, queue)
  select m.id, m.attempt, ${status}, m.type, m.queue
    from ${moved} as m
   where exists (
       select from event_listeners as l
        where l.listens_until > now()
          and (l.type is null or l.type = m.type)
          and (l.queue is null or l.queue = m.queue))`)
}

/** Moves of tasks, bound to a database. */
export function moveLog(database: Database): MoveLog {
  return {
    async listen(listener, { type = null, queue = null }) {
      await database.run(addListener, [listener, type, queue, listenSeconds])
    },
    async here() {
      const [row] = await database.run<[string, number]>(readHere)
      return { moves: [], position: { after: row![0] }, atMs: row![1] }
    },
    async keepListening(listener, { type = null, queue = null }) {
      return (await database.run(renew, [listener, type, queue, listenSeconds])).length > 0
    },
    read: (from, upTo) => read(database, from, upTo),
  }
}

const addListener = {
  name: 'listeners.add',
  text: `
  insert into event_listeners (id, type, queue, listens_until)
  values ($1, $2, $3, now() + $4 * interval '1 second')
      on conflict (id) do update set listens_until = excluded.listens_until`,
}

const renew = {
  name: 'listeners.renew',
  text: `
  update event_listeners
     set listens_until = now() + $4 * interval '1 second'
   where id = $1
     and type is not distinct from $2
     and queue is not distinct from $3
     and listens_until > now()
  returning id`,
}

const epochMs = 'extract(epoch from now())::float8 * 1000'
const readHere = { name: 'events.here', text: `select pg_current_snapshot()::text, ${epochMs}` }

// Transactions do not end in the order of their numbers, so "after" is not a number: it is what a snapshot did not see.
// What is committed late comes late, and nobody waits for a transaction that takes long.
const readMoves = {
  name: 'events.read',
  text: `
  with here as materialized (select coalesce($2::text::pg_snapshot, pg_current_snapshot()) as up_to)
  select h.up_to::text, ${epochMs}, e.xid::text, e.seq, e.task_id, e.type, e.queue, e.status, e.attempt, e.at
    from here as h
    left join lateral (
      select *
        from events
       where xid >= pg_snapshot_xmin($1::text::pg_snapshot)
         and not pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
         and pg_visible_in_snapshot(xid, h.up_to)
         and (xid, seq) > ($3::text::xid8, $4::bigint)
       order by xid, seq
       limit $5) as e on true`,
}

type Here = [upTo: string, atMs: number]
type MoveRow = [
  ...here: Here,
  xid: string,
  seq: number,
  id: string,
  type: string,
  queue: string,
  status: Status,
  attempt: number,
  at: Date,
]
type NothingRow = [...here: Here, xid: null, ...rest: null[]]

async function read({ run }: Database, { after, page }: LogPosition, upTo?: string): Promise<LogPage> {
  const from = [page?.xid ?? '0', page?.seq ?? 0]
  const rows = await run<MoveRow | NothingRow>(readMoves, [
    after,
    page?.upTo ?? upTo ?? null,
    ...from,
    pageRows,
  ])
  const [seen, atMs] = rows[0]!
  const moves = rows.filter((row): row is MoveRow => row[2] !== null)
  const last = moves.length === pageRows ? moves.at(-1) : undefined
  const position = last ? { after, page: { upTo: seen, xid: last[2], seq: last[3] } } : { after: seen }
  return { moves: moves.map(toMove), position, atMs }
}

function toMove([, , , , id, type, queue, status, attempt, at]: MoveRow): Move {
  return { id, type, queue, status, attempt, at: at.toISOString() }
}

const forgetListeners = {
  name: 'listeners.forget',
  text: `delete from event_listeners where listens_until < now() - interval '1 minute'`,
}

const forgetSome = {
  name: 'events.forget',
  text: `
  with oldest as materialized (
    select xid, seq, at from events order by xid, seq limit $1
  ), gone as (
    delete from events as e
     using oldest as o
     where e.xid = o.xid and e.seq = o.seq and o.at < now() - $2 * interval '1 second'
    returning e.seq
  )
  select count(*) from gone`,
}

/** Lets go of listeners that are over, and of moves that nobody can ask for any more, in small steps. */
export async function forgetMoves({ run }: Database): Promise<void> {
  await run(forgetListeners)
  for (let gone = stepRows; gone === stepRows; ) {
    const [row] = await run<[number]>(forgetSome, [stepRows, keepSeconds])
    gone = row![0]
  }
}
