import type { Database } from './connection.ts'
import { serverUpSince, workerLockOf } from './workers.ts'

/** Forgets a worker that is dead, and remembers for an hour that its host had one. */
export const buryWorker = {
  name: 'workers.bury',
  text: `
  with dead as (
    delete from workers where id = $1 returning host, lease_ms
  ), old as (
    delete from crashes where crashed_at < now() - interval '1 hour' and host not in (select host from dead)
  )
  insert into crashes (host, crashed_at)
  select host, now() from dead where lease_ms is null
      on conflict (host) do update set crashed_at = excluded.crashed_at`,
}

// One that nobody has buried yet is known by its lock, which is free although the server has not been away.
const findCrash = {
  name: 'workers.crashed-lately',
  text: `
  select exists (
    select from crashes where host = $1 and crashed_at > now() - $2 * interval '1 millisecond'
  ) or exists (
    select
      from workers as w
     where w.host = $1
       and w.lease_ms is null
       and w.last_seen_at > greatest(now() - $2 * interval '1 millisecond', ${serverUpSince})
       and pg_try_advisory_xact_lock(${workerLockOf('w.id')})
  )`,
}

/** Whether a worker of this host died within the last `withinMs`. To be asked before this one has announced itself. */
export async function hasCrashedLately({ run }: Database, host: string, withinMs: number): Promise<boolean> {
  return (await run<[boolean]>(findCrash, [host, withinMs]))[0]![0]
}
