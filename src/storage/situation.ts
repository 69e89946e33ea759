import { defaultMaxAttempts } from '../domain/submission.ts'
import type { Status } from '../domain/task.ts'
import type { Situation, SituationReader } from '../domain/why.ts'
import type { Database, Run } from './connection.ts'
import { gateOf } from './gate-of.ts'
import { pacesOf } from './pace.ts'
import { workerRegistry } from './workers.ts'

/** How many packets are looked through for one that has the task, and how many tasks of a lane are counted. */
const farthest = 5_000

/** What decides why a task does not run. A few statements by key, whatever the number of tasks. */
export function situationReader({ moves, looks }: Record<'moves' | 'looks', Database>): SituationReader {
  return {
    async situationOf(id) {
      const task = await readTask(moves.run, id)
      if (!task) return undefined
      const [workers, hold, line] = await Promise.all([
        workerRegistry(looks).list(),
        gateOf(moves, id),
        task.status === 'pending' ? lineOf(looks.run, task) : { ahead: 0, perSecond: null },
      ])
      const { now, nextLookAt, key: _key, rank: _rank, ...rest } = task
      return { now, nextLookAt, task: rest, workers, hold, ...line }
    },
    async pastOf(id) {
      const task = await readTask(moves.run, id)
      if (!task) return undefined
      const packet = await packetOf(looks.run, task)
      return {
        now: task.now,
        failures: task.failures,
        sentAt: packet?.sentAt ?? null,
        claimedAt: packet?.claimedAt ?? null,
      }
    },
  }
}

const readOne = {
  name: 'tasks.situation',
  text: `
  select t.id, t.status, t.type, t.queue, t.key, t.priority, t.attempt, t.max_attempts, t.failures,
         coalesce(t.run_at, t.created_at), t.started_at, t.finished_at, t.worker_id, s.run_at, clock_timestamp()
    from tasks as t
    left join schedule as s on s.task_id = t.id
   where t.id = $1`,
}

type OneRow = [
  id: string,
  status: Status,
  type: string,
  queue: string,
  key: string | null,
  priority: number,
  attempt: number,
  maxAttempts: number | null,
  failures: number,
  runAt: Date,
  startedAt: Date | null,
  finishedAt: Date | null,
  workerId: string | null,
  nextLookAt: Date | null,
  now: Date,
]

type One = Situation['task'] & { key: string | null; rank: number; nextLookAt: string | null; now: string }

async function readTask(run: Run, id: string): Promise<One | undefined> {
  const [row] = await run<OneRow>(readOne, [id])
  if (!row) return undefined
  const [, status, type, queue, key, rank, attempt, maxAttempts, failures, ...rest] = row
  const [runAt, startedAt, finishedAt, workerId, nextLookAt, now] = rest
  return {
    id: row[0],
    status,
    type,
    queue,
    key,
    rank,
    attempt,
    maxAttempts: maxAttempts ?? defaultMaxAttempts,
    failures,
    runAt: runAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    workerId,
    nextLookAt: nextLookAt?.toISOString() ?? null,
    now: now.toISOString(),
  }
}

// Packets in the order of their claiming, as far as one that has the task. What is before it is exact then. Where it is
// farther back, the time of its submission tells how far, about, between the packets that were looked through and the
// last.
const readLine = {
  name: 'packets.line',
  text: `
  with waiting as materialized (
    select id, priority, task_ids
      from packets
     where worker_id is null
       and queue = $1
     order by priority desc, id
     limit ${farthest}
  ), placed as materialized (
    select $2::uuid = any (task_ids) as is_mine, array_position(task_ids, $2::uuid) - 1 as inside,
           coalesce(sum(cardinality(task_ids)) over (order by priority desc, id
             rows between unbounded preceding and 1 preceding), 0)::bigint as before
      from waiting
  ), mine as materialized (
    select before + inside as ahead from placed where is_mine order by 1 limit 1
  )
  select (select ahead from mine)::bigint, (select count(*) from waiting),
         (select sum(cardinality(task_ids)) from waiting)::bigint,
         (select task_ids[1] from waiting order by priority, id desc limit 1),
         (select task_ids[1] from packets
           where worker_id is null and queue = $1 and priority = $3 order by id desc limit 1)`,
}

type LineRow = [
  ahead: number | null,
  packets: number,
  seen: number | null,
  seenTo: string | null,
  last: string | null,
]

// Lanes take turns, so that about as many of each go first as are before the task in its own.
const readLane = {
  name: 'parked.line',
  text: `
  with mine as materialized (
    select priority, task_id from parked
     where queue = $1 and key = $2 and priority = $4 and task_id = $3
     limit 1
  )
  select (select count(*) from (
            select from parked as p, mine as m
             where p.queue = $1 and p.key = $2
               and (p.priority > m.priority or p.priority = m.priority and p.task_id < m.task_id)
             limit ${farthest}) as before),
         (select count(*) from (select from lanes where queue = $1 limit ${farthest}) as l)
   where exists (select from mine)`,
}

const readPending = {
  name: 'counters.pending-of',
  text: `select coalesce(sum(n), 0)::bigint from counters where queue = $1 and status = 'pending'`,
}

async function lineOf(run: Run, task: One): Promise<Pick<Situation, 'ahead' | 'perSecond'>> {
  const { queue, id, key, rank } = task
  const pending = (await run<[number]>(readPending, [queue]))[0]![0]
  const perSecond = (await pacesOf(run, queue)).get(queue)?.endedPerSecond || null
  const [lane] = await run<[before: number, lanes: number]>(readLane, [queue, key ?? '', id, rank])
  if (lane) {
    const [before, lanes] = lane
    return { ahead: Math.min(Math.max(0, pending - 1), before * lanes + Math.floor(lanes / 2)), perSecond }
  }
  const row = (await run<LineRow>(readLine, [queue, id, rank]))[0]!
  return { ahead: aheadIn(row, id, pending), perSecond }
}

/** What is in no packet that waits, though all were looked through, is just being claimed. */
function aheadIn([ahead, packets, seen, seenTo, last]: LineRow, id: string, pending: number): number {
  if (ahead !== null) return ahead
  if (packets < farthest || seen === null || seenTo === null || last === null || seen >= pending) return 0
  const [from, to] = [msOf(seenTo), msOf(last)]
  const share = to > from ? Math.min(1, Math.max(0, (msOf(id) - from) / (to - from))) : 1
  return Math.round(seen + (pending - seen) * share)
}

/** An id begins with the milliseconds at which it was made. */
const msOf = (id: string) => Number.parseInt(id.replace('-', '').slice(0, 12), 16)

const readPacket = {
  name: 'packets.times',
  text: `
  select sent_at, claimed_at
    from packets
   where worker_id = $2
     and $1::uuid = any (task_ids)
   order by id desc
   limit 1`,
}

async function packetOf(run: Run, { id, status, workerId }: One) {
  if (status !== 'processing' || workerId === null) return undefined
  const [row] = await run<[Date | null, Date | null]>(readPacket, [id, workerId])
  return row && { sentAt: row[0]?.toISOString() ?? null, claimedAt: row[1]?.toISOString() ?? null }
}
