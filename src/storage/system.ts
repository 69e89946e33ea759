import type { LedgerState, Sizes, SystemStore } from '../domain/system.ts'
import type { Database } from './connection.ts'
import { withWaitingPlaces } from './packets.ts'
import { msOf } from './partitions.ts'

/** How large everything is, and how the ledger is doing. */
export function systemStore(database: Database): SystemStore {
  return { sizes: () => sizes(database), ledger: () => ledger(database) }
}

const readSize = {
  name: 'system.size',
  text: `select split_part(current_setting('server_version'), ' ', 1), pg_database_size(current_database())`,
}

// A partition that goes at this very moment is none.
const readPartitions = {
  name: 'system.partitions',
  text: `
  select p.name, p.lower_id, p.upper_id, p.sealed_at is not null, greatest(c.reltuples, 0)::float8,
         pg_total_relation_size(c.oid)
    from (select name, lower_id, upper_id, sealed_at from partitions
          union all
          select 'tasks_default', null, null, null) as p
    join pg_class as c on c.oid = to_regclass(p.name)
   order by p.lower_id nulls last`,
}

type PartitionRow = [
  name: string,
  lower: string | null,
  upper: string | null,
  sealed: boolean,
  rows: number,
  bytes: number | null,
]

async function sizes({ run }: Database): Promise<Sizes> {
  const [size] = await run<[version: string, bytes: number]>(readSize)
  const rows = await run<PartitionRow>(readPartitions)
  return {
    version: size![0],
    sizeBytes: size![1],
    partitions: rows.map(([name, lower, upper, sealed, rows, bytes]) => ({
      name,
      from: lower && instantOf(lower),
      to: upper && instantOf(upper),
      rows,
      bytes: bytes ?? 0,
      sealed,
    })),
  }
}

const instantOf = (id: string) => new Date(msOf(id)).toISOString()

/** Looks at some ten thousand rows in a few milliseconds; more than that is many, whatever the number. */
const mostCounted = 20_000

const readLedger = {
  name: 'system.ledger',
  text: `${withWaitingPlaces}
  select (select count(*) from (select from packets where worker_id is null limit $1) as waiting),
         (select count(*) from (select from packets where worker_id is null and sent_at is null limit $1) as unsent),
         (select count(*) from (select from packets where worker_id is not null limit $1) as held),
         (select extract(epoch from now() - min(oldest.created_at))::float8 * 1000
            from place
           cross join lateral (
             select created_at from packets
              where worker_id is null and queue = place.queue and priority = place.priority
              order by id
              limit 1) as oldest),
         (select extract(epoch from now() - created_at)::float8 * 1000
            from packets
           where worker_id is null and sent_at is null
           order by id
           limit 1)`,
}

type LedgerRow = [
  waiting: number,
  unsent: number,
  held: number,
  oldestWaitingAgeMs: number | null,
  oldestUnsentAgeMs: number | null,
]

async function ledger({ run }: Database): Promise<LedgerState> {
  const [row] = await run<LedgerRow>(readLedger, [mostCounted])
  const [waitingPackets, unsentPackets, heldPackets, oldestWaitingAgeMs, oldestUnsentAgeMs] = row!
  return { waitingPackets, unsentPackets, heldPackets, oldestWaitingAgeMs, oldestUnsentAgeMs, mostCounted }
}
