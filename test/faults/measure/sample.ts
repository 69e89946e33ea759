import { type Memory, memoryOf, openHandles } from './memory.ts'
import type { Stand } from './stand.ts'

/** Something that may not grow for ever. */
export type Quantity = {
  name: string
  short: string
  /** Growing by less is no growing. */
  slack: number
  /** The others grow with the tasks that are kept, and are looked at for their size a task. */
  isFlat: boolean
}

/** A value for each quantity, in their order. */
export type Sample = readonly number[]

const oldest = ['api-1', 'worker-1'] as const
const passing = ['packets', 'schedule', 'counters', 'workers', 'samples'] as const
const kept = ['tasks', 'stopped', 'attempts', 'idempotency_keys', 'batches'] as const

const flat = (name: string, short: string, slack: number): Quantity => ({ name, short, slack, isFlat: true })

export const quantities: readonly Quantity[] = [
  ...oldest.flatMap((member) => {
    const short = member.replace(/(?<=^.).*-/, '')
    return [
      flat(`${member} heap MB`, `${short} heap`, 3),
      flat(`${member} resident MB`, `${short} rss`, 10),
      flat(`${member} handles`, `${short} fds`, 4),
    ]
  }),
  flat('connections', 'conns', 6),
  ...passing.map((table) => flat(`${table} MB`, table, 1)),
  flat('rows of packets', 'rows pkt', 100),
  flat('dead rows of packets', 'dead pkt', 2_000),
  flat('dead rows of counters', 'dead cnt', 2_000),
  ...kept.map((table) => flat(`${table} bytes a task`, `${table.slice(0, 5)}/t`, 20)),
  { name: 'tasks', short: 'tasks', slack: 0, isFlat: false },
]

export async function takeSample({ apis, workers, database, memoryFile }: Stand): Promise<Sample> {
  const processes = [apis[0]!.pid(), workers[0]!.pid()]
  const memories = await Promise.all(processes.map((pid) => memoryOf(pid, memoryFile)))
  const tables = await tablesOf(database)
  const table = (name: string) => tables.get(name) ?? { bytes: 0, live: 0, dead: 0 }
  const tasks = await tasksIn(database)
  return [
    ...processes.flatMap((pid, i) => [...megabytes(memories[i]!), openHandles(pid)]),
    await connectionsOf(database),
    ...passing.map((name) => table(name).bytes / 1e6),
    table('packets').live,
    table('packets').dead,
    table('counters').dead,
    ...kept.map((name) => table(name).bytes / Math.max(1, tasks)),
    tasks,
  ]
}

function megabytes({ heapUsed, rss }: Memory): [number, number] {
  return [heapUsed / 1e6, rss / 1e6]
}

type Database = Stand['database']
type Table = { name: string; bytes: number; live: number; dead: number }

/** With their indexes; the partitions of a table are one. */
async function tablesOf({ query }: Database): Promise<Map<string, Table>> {
  const rows = await query<Table>(`
    select regexp_replace(relname, '^tasks_.*', 'tasks') as name, sum(pg_total_relation_size(relid))::float8 as bytes,
           sum(n_live_tup)::int as live, sum(n_dead_tup)::int as dead
      from pg_stat_user_tables where schemaname = 'millrace' group by 1`)
  return new Map(rows.map((row) => [row.name, row]))
}

async function tasksIn({ query }: Database): Promise<number> {
  const [row] = await query<{ n: number }>('select coalesce(sum(n), 0)::int as n from millrace.counters')
  return row?.n ?? 0
}

async function connectionsOf({ query }: Database): Promise<number> {
  const [row] = await query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where application_name = 'millrace'`,
  )
  return row?.n ?? 0
}
