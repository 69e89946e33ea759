import type { ClaimedTask } from '../domain/outcome.ts'
import type { PacketId } from '../domain/packet.ts'
import type { Claim, Want, WorkerIdentity } from '../domain/ports.ts'
import type { JsonText } from '../domain/task.ts'
import { int8s } from './arrays.ts'
import { countBatchMoves } from './batch-counters.ts'
import type { Database } from './connection.ts'
import { countMoves } from './counters.ts'

// Takes what fits into the room, in the order of priority and age, and starts its tasks. Only a task that is
// still pending starts: a cancellation came first, or an older packet had the same task. By an array and not by a
// join, because then each partition is searched once and not once for each task.
const takeAndStart = `
  ), sized as (
    select id, size, size > $2 as oversized,
           sum(case when size > $2 then 0 else size end) over (order by priority desc, id) as room
      from seen
  ), taken as (
    update packets as p
       set worker_id = $4, claimed_at = now()
      from sized as s
     where p.id = s.id
       and not s.oversized
       and s.room <= $3
    returning p.id, p.task_ids, p.queue, (extract(epoch from now() - p.created_at) * 1000)::bigint as waited_ms
  ), started as (
    update tasks as t
       set status = 'processing', attempt = t.attempt + 1, worker_id = $4, started_at = now()
     where t.id = any (array(select unnest(task_ids) from taken))
       and t.status = 'pending'
       and t.type = any ($5)
    returning t.id, t.type, t.queue, t.payload, t.attempt, t.failures, t.crashes, t.max_attempts, t.timeout_ms,
              t.batch_id
  ), counted as (${countMoves('started', { from: 'pending', to: 'processing' })}
  ), batched as (${countBatchMoves('started', { from: 'pending', to: 'processing' })}
  )
  select 'started', null::bigint, attempt, null::uuid[], id, type, payload, failures, crashes, max_attempts, timeout_ms
    from started
  union all
  select 'taken', id, null, task_ids, null, queue, null, null, null, null, waited_ms from taken
  union all
  select case when oversized then 'oversized' else 'blocked' end, id, null, null, null, null, null, null, null, null, null
    from sized
   where oversized or room > $3`

// Only here SKIP LOCKED: these packets are nobody's yet, and whoever holds one is about to take it.
const claimFromLedger = {
  name: 'packets.claim-from-ledger',
  text: `
  with seen as materialized (
    select p.id, p.priority, cardinality(p.task_ids) as size
      from unnest($1::text[]) as q (queue)
     cross join lateral (
       select id, priority, task_ids
         from packets
        where queue = q.queue
          and worker_id is null
        order by priority desc, id
        limit $6
          for update skip locked) as p
  ${takeAndStart}`,
}

// With a broker, what was submitted in SQL is taken from here when a notice says that there is some; its message, if the
// relay was as quick, names a packet that is taken, and is acked in vain.
const claimUnsent = {
  name: 'packets.claim-unsent',
  text: `
  with seen as materialized (
    select id, priority, cardinality(task_ids) as size
      from packets
     where worker_id is null
       and sent_at is null
       and queue = any ($1::text[])
     order by id
     limit $6
       for update skip locked
  ${takeAndStart}`,
}

// A message names the packets. Not SKIP LOCKED: the other holder may roll back, and the message would be lost.
const namedText = (more: string) => `
  with seen as materialized (
    select id, priority, cardinality(task_ids) as size
      from packets
     where id = any ($1::bigint[])
       and worker_id is null${more}
     order by id
       for update
  ${takeAndStart}`

const claimNamed = { name: 'packets.claim-named', text: namedText('') }

// Where some queues are served by their gates, their messages are no more than a reason to look there.
const claimNamedWithout = {
  name: 'packets.claim-named-without',
  text: namedText(`
       and queue <> all ($6::text[])`),
}

/** Takes packets and starts their tasks. Must not be repeated blindly: what it took is found by `held`. */
export async function claim({ run }: Database, worker: WorkerIdentity, want: PacketWant): Promise<Claim> {
  const { id, types, packetLimit } = worker
  const common = [packetLimit, want.room, id, types]
  if ('queues' in want)
    return toClaim(
      await run<ClaimRow>(want.unsent ? claimUnsent : claimFromLedger, [want.queues, ...common, want.look]),
    )
  if (!want.without) return toClaim(await run<ClaimRow>(claimNamed, [int8s(want.packets), ...common]))
  return toClaim(await run<ClaimRow>(claimNamedWithout, [int8s(want.packets), ...common, want.without]))
}

export type PacketWant = Exclude<Want, { gate: string }>

type StartedRow = [
  kind: 'started',
  packet: null,
  attempt: number,
  taskIds: null,
  id: string,
  type: string,
  payload: JsonText,
  failures: number,
  crashes: number,
  maxAttempts: number | null,
  timeoutMs: number | null,
  keys?: null,
  waitedMs?: number,
]
type TakenRow = [
  kind: 'taken',
  packet: PacketId,
  attempt: null,
  taskIds: string[],
  id: null,
  queue: string,
  ...rest: [null, null, null, null],
  waitedMs: number | null,
  keys?: string[],
]
type LeftRow = [kind: 'oversized' | 'blocked', packet: PacketId, ...rest: null[]]
export type ClaimRow = StartedRow | TakenRow | LeftRow

export function toClaim(rows: readonly ClaimRow[]): Claim {
  const claim: Claim = { tasks: [], packets: [], oversized: [], blocked: [] }
  const started = new Map<string, StartedRow>()
  for (const row of rows) {
    if (row[0] === 'started') started.set(row[4], row)
    else if (row[0] !== 'taken') claim[row[0]].push(row[1])
  }
  for (const row of rows) {
    if (row[0] !== 'taken') continue
    const [, packet, , taskIds] = row
    const tasks = tasksOf(row, started)
    claim.tasks.push(...tasks)
    claim.packets.push({ id: packet, started: tasks.length, size: taskIds.length })
  }
  return claim
}

/** A task that is in two packets is the first one's: it is taken out of `started`. */
function tasksOf(
  [, packet, , taskIds, , queue, , , , , packetWaitedMs]: TakenRow,
  started: Map<string, StartedRow>,
): ClaimedTask[] {
  return taskIds.flatMap((taskId) => {
    const row = started.get(taskId)
    if (!row || !started.delete(taskId)) return []
    const [, , attempt, , id, type, payload, failures, crashes, maxAttempts, timeoutMs] = row
    const waitedMs = row[12] ?? packetWaitedMs ?? 0
    return { id, packet, queue, type, payload, attempt, failures, crashes, maxAttempts, timeoutMs, waitedMs }
  })
}
