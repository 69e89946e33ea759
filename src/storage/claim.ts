import type { ClaimedTask } from '../domain/outcome.ts'
import type { PacketId } from '../domain/packet.ts'
import type { Claim, Want, WorkerIdentity } from '../domain/ports.ts'
import type { JsonText } from '../domain/task.ts'
import { int8s } from './arrays.ts'
import type { Database } from './connection.ts'
import { countMoves } from './counters.ts'

// Takes what fits into the room, in the order of priority and age, and starts its tasks. Only a task that is
// still pending starts: a cancellation came first, or an older packet had the same task.
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
    returning p.id, p.task_ids
  ), started as (
    update tasks as t
       set status = 'processing', attempt = t.attempt + 1, worker_id = $4, started_at = now()
      from (select id as packet, unnest(task_ids) as task_id from taken) as u
     where t.id = u.task_id
       and t.status = 'pending'
       and t.type = any ($5)
    returning u.packet, t.id, t.type, t.queue, t.payload, t.attempt, t.failures, t.crashes, t.max_attempts, t.timeout_ms
  ), counted as (${countMoves('started', { from: 'pending', to: 'processing' })}
  )
  select 'started', packet, attempt, id, type, payload, failures, crashes, max_attempts, timeout_ms from started
  union all
  select case when oversized then 'oversized' when room <= $3 then 'taken' else 'blocked' end, id, size,
         null, null, null, null, null, null, null
    from sized`

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

// A message names the packets. Not SKIP LOCKED: the other holder may roll back, and the message would be lost.
const claimNamed = {
  name: 'packets.claim-named',
  text: `
  with seen as materialized (
    select id, priority, cardinality(task_ids) as size
      from packets
     where id = any ($1::bigint[])
       and worker_id is null
     order by id
       for update
  ${takeAndStart}`,
}

/** Takes packets and starts their tasks. Must not be repeated blindly: what it took is found by `held`. */
export async function claim({ run }: Database, worker: WorkerIdentity, want: Want): Promise<Claim> {
  const { id, types, packetLimit } = worker
  const common = [packetLimit, want.room, id, types]
  const rows =
    'queues' in want
      ? await run<ClaimRow>(claimFromLedger, [want.queues, ...common, want.look])
      : await run<ClaimRow>(claimNamed, [int8s(want.packets), ...common])
  return toClaim(rows)
}

type ClaimRow = [
  kind: 'started' | 'taken' | 'blocked' | 'oversized',
  packet: PacketId,
  attemptOrSize: number,
  id: string,
  type: string,
  payload: JsonText,
  failures: number,
  crashes: number,
  maxAttempts: number | null,
  timeoutMs: number | null,
]

function toClaim(rows: readonly ClaimRow[]): Claim {
  const claim: Claim = { tasks: [], packets: [], oversized: [], blocked: [] }
  const started = new Map<PacketId, number>()
  for (const row of rows) {
    const [kind, packet, size] = row
    if (kind === 'started') {
      claim.tasks.push(toClaimedTask(row))
      started.set(packet, (started.get(packet) ?? 0) + 1)
    } else if (kind === 'taken') claim.packets.push({ id: packet, size, started: started.get(packet) ?? 0 })
    else claim[kind].push(packet)
  }
  return claim
}

function toClaimedTask(row: ClaimRow): ClaimedTask {
  const [, packet, attempt, id, type, payload, failures, crashes, maxAttempts, timeoutMs] = row
  return { id, packet, type, payload, attempt, failures, crashes, maxAttempts, timeoutMs }
}
