import type { ProgressStore } from '../domain/ports.ts'
import type { ProgressReport } from '../domain/progress.ts'
import { int4s, texts, uuids } from './arrays.ts'
import type { Database } from './connection.ts'

// The fence: an attempt that is not its task's latest any more says nothing. A report may come a moment after its
// attempt's outcome, so the status is no part of it.
const store = {
  name: 'progress.store',
  text: `
  insert into progress as p (task_id, attempt, done, total, message)
  select r.task_id, r.attempt, r.done, r.total, r.message
    from unnest($1::uuid[], $2::int[], $3::float8[], $4::float8[], $5::text[])
      as r (task_id, attempt, done, total, message)
    join tasks as t on t.id = r.task_id
   where t.attempt = r.attempt
   order by r.task_id
      on conflict (task_id) do update
         set attempt = excluded.attempt, done = excluded.done, total = excluded.total, message = excluded.message,
             version = p.version + 1, reported_at = excluded.reported_at
       where p.attempt <= excluded.attempt`,
}

/** Where handlers' reports go, bound to a database. */
export function progressStore(database: Database): ProgressStore {
  return { report: (reports) => report(database, reports) }
}

async function report({ run }: Database, reports: readonly ProgressReport[]): Promise<void> {
  await run(store, [
    uuids(reports.map(({ id }) => id)),
    int4s(reports.map(({ attempt }) => attempt)),
    reports.map(({ done }) => done),
    reports.map(({ total }) => total),
    texts(reports.map(({ message }) => message)),
  ])
}
