import type { TaskReader } from '../domain/ports.ts'
import type { JsonText, PastAttempt, Task, TaskDetail } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import type { Database } from './connection.ts'
import { toWholeTask, type WholeTaskRow, wholeTask } from './rows.ts'
import { readStats } from './stats.ts'
import { listTasks } from './task-list.ts'

/** `moves` reads by key, with pinned plans; `looks` searches. */
export type ReaderDatabases = { moves: Database; looks: Database }

/** The looks at tasks. */
export function taskReader({ moves, looks }: ReaderDatabases): TaskReader {
  return {
    get: (id) => get(moves, id),
    getMany: (ids) => getMany(moves, ids),
    settled: (ids) => settled(moves, ids),
    attemptsOf: (id) => attemptsOf(moves, id),
    list: (filter) => listTasks(looks, filter),
    stats: () => readStats(looks),
  }
}

const readTasks = {
  name: 'tasks.read',
  text: `
  select ${wholeTask}
    from unnest($1::uuid[]) as i (id)
    join tasks as t on t.id = i.id`,
}

async function get(database: Database, id: string): Promise<TaskDetail | undefined> {
  const [[task], attempts] = await Promise.all([getMany(database, [id]), attemptsOf(database, id)])
  return task && { ...task, attempts }
}

async function getMany({ run }: Database, ids: readonly string[]): Promise<Task[]> {
  return (await run<WholeTaskRow>(readTasks, [uuids(ids)])).map(toWholeTask)
}

const readSettled = {
  name: 'tasks.settled',
  text: `
  select i.id
    from unnest($1::uuid[]) as i (id)
    left join tasks as t on t.id = i.id
   where t.id is null
      or t.status in ('completed', 'failed', 'canceled')`,
}

async function settled({ run }: Database, ids: readonly string[]): Promise<string[]> {
  return (await run<[string]>(readSettled, [uuids(ids)])).map(([id]) => id)
}

const readAttempts = {
  name: 'attempts.read',
  text: `
  select attempt, error, started_at, finished_at, worker_id from attempts where task_id = $1 order by attempt`,
}

type AttemptRow = [
  attempt: number,
  error: JsonText,
  startedAt: Date | null,
  finishedAt: Date,
  workerId: string | null,
]

async function attemptsOf({ run }: Database, id: string): Promise<PastAttempt[]> {
  const rows = await run<AttemptRow>(readAttempts, [id])
  return rows.map(([attempt, error, startedAt, finishedAt, workerId]) => ({
    attempt,
    error,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt.toISOString(),
    workerId,
  }))
}
