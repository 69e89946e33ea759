import type { Sighting } from '../domain/event.ts'
import type { TaskReader } from '../domain/ports.ts'
import type { Status, Task, TaskDetail } from '../domain/task.ts'
import { int4s, uuids } from './arrays.ts'
import type { Database } from './connection.ts'
import { histories } from './histories.ts'
import { toWholeTask, type WholeTaskRow, wholeTask } from './rows.ts'
import { readSnapshot, readStats } from './stats.ts'
import { listTasks } from './task-list.ts'

/** `moves` reads by key, with pinned plans; `looks` searches. */
export type ReaderDatabases = { moves: Database; looks: Database }

/** The looks at tasks. */
export function taskReader({ moves, looks }: ReaderDatabases): TaskReader {
  return {
    get: async (id) => (await details(moves, [id]))[0],
    getMany: (ids) => getMany(moves, ids),
    details: (ids) => details(moves, ids),
    settled: (ids) => settled(moves, ids),
    changed: (seen) => changed(moves, seen),
    historyOf: async (task) => (await histories(moves, [task.id]))(task),
    list: (filter) => listTasks(looks, filter),
    stats: () => readStats(looks),
    snapshot: () => readSnapshot(looks),
  }
}

const readTasks = {
  name: 'tasks.read',
  text: `
  select ${wholeTask}
    from unnest($1::uuid[]) as i (id)
    join tasks as t on t.id = i.id`,
}

async function details(database: Database, ids: readonly string[]): Promise<TaskDetail[]> {
  const [tasks, historyOf] = await Promise.all([getMany(database, ids), histories(database, ids)])
  return tasks.map((task) => ({ ...task, ...historyOf(task) }))
}

async function getMany({ run }: Database, ids: readonly string[]): Promise<Task[]> {
  return (await run<WholeTaskRow>(readTasks, [uuids(ids)])).map(toWholeTask)
}

const readSettled = {
  name: 'tasks.settled',
  text: `
  select id
    from tasks
   where id = any ($1::uuid[])
     and status in ('completed', 'failed', 'canceled')`,
}

// By an array and not by a join: each partition is searched once for all of the ids, which takes a quarter of the time.
async function settled({ run }: Database, ids: readonly string[]): Promise<string[]> {
  return (await run<[string]>(readSettled, [uuids(ids)])).map(([id]) => id)
}

const readChanged = {
  name: 'tasks.changed',
  text: `
  select t.id, t.status, t.attempt, coalesce(p.version, 0)
    from unnest($1::uuid[], $2::task_status[], $3::int[], $4::int[]) as s (id, status, attempt, progress)
    join tasks as t on t.id = s.id
    left join progress as p on p.task_id = t.id and p.attempt = t.attempt
   where t.status <> s.status
      or t.attempt <> s.attempt
      or coalesce(p.version, 0) <> s.progress`,
}

type SightingRow = [id: string, status: Status, attempt: number, progress: number]

async function changed({ run }: Database, seen: readonly Sighting[]): Promise<Sighting[]> {
  const rows = await run<SightingRow>(readChanged, [
    uuids(seen.map(({ id }) => id)),
    seen.map(({ status }) => status),
    int4s(seen.map(({ attempt }) => attempt)),
    int4s(seen.map(({ progress }) => progress)),
  ])
  return rows.map(([id, status, attempt, progress]) => ({ id, status, attempt, progress }))
}
