import { idSource } from '../../../src/domain/id.ts'
import type { Status } from '../../../src/domain/task.ts'
import { type Database, openDatabase } from '../../../src/storage/connection.ts'
import { flawsOf } from './flaws.ts'
import type { TaskState, Worker } from './model.ts'
import { chosen, type Scenario } from './scenario.ts'

/** A scenario in the database: what its numbers stand for there. */
export type Cast = {
  queue: string
  tasks: readonly string[]
  packets: readonly { id: number; owner: Worker | null; members: readonly number[] }[]
  workers: Readonly<Record<Worker, string>>
}

/** A database of its own on which scenarios are played one after the other, with room for moves at the same time. */
export type Stage = {
  moves: Database
  set(scenario: Scenario): Promise<{ cast: Cast; before: TaskState[] }>
  /** The tasks as they are now. */
  read(cast: Cast): Promise<TaskState[]>
  /** What is wrong apart from the tasks themselves: counts that differ, tasks that nothing finds again. */
  flaws(cast: Cast): Promise<string[]>
  /** How many statements wait for a lock. */
  waiting(): Promise<number>
  /** How many deadlocks the server has ended here. */
  deadlocks(): Promise<number>
  clear(): Promise<void>
}

const newId = idSource()
/** Where the numbers of a scenario's packets begin, far from those that moves make. */
let nextPacket = 1_000_000_000

const setText = `
  with played as (delete from schedule), gone as (delete from workers), task as materialized (
    select * from json_to_recordset($2::json)
      as t (id uuid, status task_status, attempt int, failures int, crashes int, worker uuid, due boolean, stray boolean)
  ), t as (
    insert into tasks (id, type, queue, priority, payload, status, attempt, failures, crashes, worker_id,
                       created_at, run_at, finished_at)
    select id, 'plain', $1, 1, '1', status, attempt, failures, crashes, worker, now() - interval '1 hour', null,
           case when status in ('completed', 'failed', 'canceled') then now() end
      from task
  ), c as (
    insert into counters (slot, queue, type, status, n)
    select 0, $1, 'plain', status, count(*) from task group by status
  ), s as (
    insert into schedule (task_id, run_at)
    select id, case when due or status <> 'scheduled' then now() else now() + interval '1 hour' end
      from task where status = 'scheduled' or stray
  ), o as (
    insert into stopped (status, task_id) select status, id from task where status in ('failed', 'canceled')
  ), p as (
    insert into packets (id, queue, priority, task_ids, worker_id, claimed_at) overriding system value
    select id, $1, 1, members, owner, case when owner is not null then now() end
      from json_to_recordset($3::json) as p (id bigint, members uuid[], owner uuid)
  )
  insert into workers (id, host, pid, version, queues, types, concurrency, last_seen_at)
  select id, 'here', 1, '1', '{}', '{}', 1, seen
    from json_to_recordset($4::json) as w (id uuid, seen timestamptz)`

const readText = `
  select t.id, t.status, t.attempt, t.failures, t.crashes, t.worker_id,
         coalesce((select run_at <= now() from schedule where task_id = t.id), false),
         coalesce(t.result #>> '{}', t.error ->> 'message'),
         array(select p.id from packets as p where queue = $2 and t.id = any (p.task_ids) order by p.id),
         array(select p.worker_id from packets as p where queue = $2 and t.id = any (p.task_ids) order by p.id)
    from tasks as t
   where id = any ($1::uuid[])`

type Read = [
  string,
  Status,
  number,
  number,
  number,
  string | null,
  boolean,
  string | null,
  string[],
  (string | null)[],
]

const tables = 'tasks, packets, schedule, stopped, attempts, counters, workers'
const waitingText = `
  select count(*) from pg_stat_get_activity(null)
   where wait_event_type = 'Lock'
     and datid = (select oid from pg_database where datname = current_database())`

// A deadlock is rolled back and repeated; it need not wait a second until it is found.
const soon = `
  do $$ begin
    execute format('alter database %I set deadlock_timeout = ''20ms''', current_database());
  end $$`
const deadlocksText = 'select deadlocks from pg_stat_database where datname = current_database()'

/** `url`: of a migrated database. */
export async function openStage(url: string, cleanups: { after(undo: () => unknown): void }): Promise<Stage> {
  const moves = openDatabase(url, { connections: 4, statementTimeoutMs: 20_000, plans: 'moves' })
  const looks = openDatabase(url, { connections: 1, statementTimeoutMs: 20_000, plans: 'looks' })
  cleanups.after(() => Promise.all([moves.close(), looks.close()]))
  await looks.run({ name: '', text: soon })

  return {
    moves,
    set: (scenario) => set(looks, scenario),
    read: (cast) => read(looks, cast),
    flaws: (cast) => flawsOf(looks, cast),
    async waiting() {
      return (await looks.run<[number]>({ name: 'races.waiting', text: waitingText }))[0]![0]
    },
    async deadlocks() {
      return (await looks.run<[number]>({ name: '', text: deadlocksText }))[0]![0]
    },
    async clear() {
      await looks.run({ name: '', text: `truncate ${tables}` })
    },
  }
}

async function set({ run }: Database, scenario: Scenario): Promise<{ cast: Cast; before: TaskState[] }> {
  const tasks = scenario.tasks.map(newId)
  const packets = scenario.packets.map(({ owner, members }) => {
    return { id: nextPacket++, owner, members: chosen(members, tasks.length) }
  })
  const cast: Cast = { queue: newId(), tasks, packets, workers: { a: newId(), b: newId() } }
  const idOf = (worker: Worker | null) => (worker ? cast.workers[worker] : null)
  const taskRows = scenario.tasks
    .map((task, i) => ({ ...task, id: tasks[i], worker: idOf(task.worker) }))
    .filter(({ status }) => status !== 'absent')
  const packetRows = packets.map(({ id, owner, members }) => {
    return { id, owner: idOf(owner), members: members.map((i) => tasks[i]) }
  })
  const isDead = (worker: Worker) =>
    scenario.moves.some(({ move }) => move.kind === 'sweep' && move.dead === worker)
  const workerRows = Object.entries(cast.workers).map(([name, id]) => {
    return { id, seen: isDead(name as Worker) ? '-infinity' : 'now' }
  })
  await run({ name: 'races.set', text: setText }, [
    cast.queue,
    ...[taskRows, packetRows, workerRows].map((rows) => JSON.stringify(rows)),
  ])
  const before = scenario.tasks.map(
    ({ stray: _, ...task }, i): TaskState => ({
      ...task,
      mark: null,
      packets: new Map(
        packets.filter(({ members }) => members.includes(i)).map(({ id, owner }) => [id, owner]),
      ),
      fresh: [],
      found: new Map(),
    }),
  )
  return { cast, before }
}

const absent = {
  status: 'absent',
  attempt: 0,
  failures: 0,
  crashes: 0,
  worker: null,
  due: false,
  mark: null,
} as const

async function read({ run }: Database, cast: Cast): Promise<TaskState[]> {
  const rows = await run<Read>({ name: 'races.read', text: readText }, [cast.tasks, cast.queue])
  const nameOf = (id: string | null) =>
    (Object.keys(cast.workers) as Worker[]).find((w) => cast.workers[w] === id) ?? null
  const isKnown = (packet: number) => cast.packets.some(({ id }) => id === packet)
  return cast.tasks.map((id) => {
    const row = rows.find((row) => row[0] === id)
    if (!row) return { ...absent, packets: new Map(), fresh: [], found: new Map() }
    const [, status, attempt, failures, crashes, worker, due, mark, packetIds, owners] = row
    const holds = packetIds.map((packet, i) => [Number(packet), nameOf(owners[i]!)] as const)
    return {
      ...{ status, attempt, failures, crashes, worker: nameOf(worker), due, mark },
      packets: new Map(holds.filter(([packet]) => isKnown(packet))),
      fresh: holds.filter(([packet]) => !isKnown(packet)).map(([, owner]) => owner),
      found: new Map(),
    }
  })
}
