import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Database } from './connection.ts'
import { buryWorker } from './crashes.ts'
import { giveBack, held } from './held-packets.ts'
import { blame } from './leased-death.ts'
import { serverUpSince, workerLockOf } from './workers.ts'

// A worker that speaks HTTP holds no lock and has a lease of its own. For the others there are two nets. A lock that is free although its worker was seen since the server's processes started: the process or its
// connection is gone. And a heartbeat older than the lease: stopped, cut off, or behind a pooler. A start of the server
// frees all locks, so workers that have not been back since get one lease before anybody judges them.
const findDead = {
  name: 'workers.find-dead',
  text: `
  with server as materialized (
    select ${serverUpSince} as up_since
  ), worker as (
    select id, last_seen_at, lease_ms is not null as is_leased,
           greatest(last_seen_at, up_since) < now() - coalesce(lease_ms, $1) * interval '1 millisecond' as is_silent,
           last_seen_at > up_since and lease_ms is null as has_been_back
      from workers cross join server
  )
  select id, is_silent or last_seen_at = '-infinity' as expired, is_leased
    from worker
   where case when last_seen_at = '-infinity' then true
              when has_been_back
               and pg_try_advisory_xact_lock(${workerLockOf('id')}) then true
              else is_silent end`,
}

// A worker that said good-bye and yet holds packets: its last claim was answered after it had gone.
const findOrphaned = {
  name: 'packets.find-orphaned',
  text: `
  select distinct worker_id
    from packets as p
   where worker_id is not null
     and claimed_at < now() - $1 * interval '1 millisecond'
     and not exists (select from workers as w where w.id = p.worker_id)`,
}

export type Sweeper = (
  leaseMs: number,
  mayJudge: boolean,
) => Promise<{ workers: string[]; packets: PacketRef[]; again: boolean }>

/**
 * A sweeper remembers whose lock was free at its last look, and declares dead who is so twice: a worker that
 * lost its connection and not its life has the time between to take the lock again.
 */
export function createSweeper(database: Database): Sweeper {
  let missing = new Set<string>()

  return async (leaseMs, mayJudge) => {
    const found = await database.run<[id: string, expired: boolean, isLeased: boolean]>(findDead, [leaseMs])
    const judged = found.filter(([id, expired]) => mayJudge && (expired || missing.has(id)))
    const dead = judged.map(([id]) => id)
    missing = new Set(found.map(([id]) => id).filter((id) => !dead.includes(id)))
    const orphaned = mayJudge ? await database.run<[string]>(findOrphaned, [leaseMs]) : []
    const packets: PacketRef[] = []
    for (const [id, , isLeased] of judged) {
      if (isLeased) packets.push(...(await blame(database, id)))
      packets.push(...(await bury(database, id)))
    }
    for (const [id] of orphaned) packets.push(...(await putBackAll(database, id)))
    return { workers: dead, packets, again: missing.size > 0 }
  }
}

async function bury(database: Database, id: string): Promise<PacketRef[]> {
  const packets = await putBackAll(database, id)
  await database.run(buryWorker, [id])
  return packets
}

async function putBackAll(database: Database, workerId: string): Promise<PacketRef[]> {
  const packets = await held(database, workerId)
  const back: PacketRef[] = []
  for (const some of chunks(packets, 50))
    back.push(...(await giveBack(database, workerId, { packets: some, crashed: true })))
  return back
}

function* chunks(packets: readonly PacketId[], size: number): Iterable<readonly PacketId[]> {
  for (let at = 0; at < packets.length; at += size) yield packets.slice(at, at + size)
}
