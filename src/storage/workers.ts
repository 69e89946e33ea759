import type { Capacity } from '../domain/packet.ts'
import type { WorkerInfo, WorkerRegistry } from '../domain/ports.ts'
import { type Database, openDatabase } from './connection.ts'

/** The session lock that a worker lives by: free as soon as its process or its connection is gone. */
export const workerLockOf = (id: string) => `hashtextextended('millrace.worker.' || ${id}::text, 0)`
export const workerLock = workerLockOf('$1')

/**
 * When the server's processes started. After a crash it starts anew and keeps its old start time; but it throws away
 * its statistics then, and says when it did.
 */
export const serverUpSince = 'greatest(pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time())'

/**
 * Ends the connection that holds the worker's lock and does nothing: it is the worker's own, and half-open. Whoever
 * holds the lock for the moment of a look at it is at work.
 */
export const releaseText = `
  select pg_terminate_backend(l.pid)
    from pg_locks as l
    join pg_stat_activity as a on a.pid = l.pid
   where l.locktype = 'advisory'
     and a.datname = current_database()
     and l.database = a.datid
     and l.objsubid = 1
     and (l.classid::bigint << 32 | l.objid::bigint) = ${workerLock}
     and l.granted
     and a.state = 'idle'`

export const announceText = `
  insert into workers (id, host, pid, version, queues, types, concurrency, running)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (id) do update set last_seen_at = now(), running = excluded.running`

export const leaveText = 'delete from workers where id = $1'

/** The workers that have announced themselves and are not known to be dead. */
export function workerRegistry(database: Database): WorkerRegistry {
  return { list: () => list(database), capacities: () => capacities(database) }
}

const readWorkers = {
  name: 'workers.list',
  text: `
  select id, host, pid, version, queues, types, concurrency, running, started_at, last_seen_at
    from workers
   where last_seen_at > '-infinity'
   order by id`,
}

type WorkerRow = [string, string, number, string, string[], string[], number, number, Date, Date]

async function list({ run }: Database): Promise<WorkerInfo[]> {
  const rows = await run<WorkerRow>(readWorkers)
  return rows.map(([id, host, pid, version, queues, types, concurrency, running, startedAt, lastSeenAt]) => ({
    id,
    host,
    pid,
    version,
    queues,
    types,
    concurrency,
    running,
    startedAt: startedAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  }))
}

// Without those that speak HTTP: one with a few slots would have everybody's packets as small as its own.
const readCapacities = {
  name: 'workers.capacities',
  text: `
  select queue, count(*), min(concurrency)
    from workers cross join lateral unnest(queues) as queue
   where last_seen_at > '-infinity'
     and lease_ms is null
   group by queue`,
}

async function capacities({ run }: Database): Promise<Map<string, Capacity>> {
  const rows = await run<[queue: string, workers: number, smallest: number]>(readCapacities)
  return new Map(
    rows.map(([queue, workers, smallestConcurrency]) => [queue, { workers, smallestConcurrency }]),
  )
}

const readLocal = {
  name: 'workers.local',
  text: `select id, pid from workers where host = $1 and lease_ms is null and last_seen_at > '-infinity'`,
}

const markDead = {
  name: 'workers.mark-dead',
  text: `update workers set last_seen_at = '-infinity' where id = any ($1::uuid[])`,
}

/**
 * Marks workers of this host whose process is gone as dead, so that nobody waits for their lease. For the start of
 * a database that only this host uses; `isAlive` tells of a process id.
 */
export async function buryLocalWorkers(
  databaseUrl: string,
  { host, isAlive }: { host: string; isAlive: (pid: number) => boolean },
): Promise<string[]> {
  const database = openDatabase(databaseUrl, { connections: 1, statementTimeoutMs: 10_000, plans: 'looks' })
  try {
    const workers = await database.run<[id: string, pid: number]>(readLocal, [host])
    const dead = workers.filter(([, pid]) => !isAlive(pid)).map(([id]) => id)
    if (dead.length > 0) await database.run(markDead, [dead])
    return dead
  } finally {
    await database.close()
  }
}
