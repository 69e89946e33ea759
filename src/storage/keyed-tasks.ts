import { createHash } from 'node:crypto'
import type { KeyedStored, TaskStore } from '../domain/ports.ts'
import type { NewTask } from '../domain/submission.ts'
import { texts, uuids } from './arrays.ts'
import type { Database, Run } from './connection.ts'
import { storeLoad } from './tasks.ts'

const takeKeys = {
  name: 'keys.take',
  text: `
  insert into idempotency_keys (key, task_id, body_hash)
  select key, task_id, body_hash
    from unnest($1::text[], $2::uuid[], $3::text[]) as k (key, task_id, body_hash)
   order by key
      on conflict (key) do nothing`,
}

const readKeys = {
  name: 'keys.read',
  text: 'select key, task_id, body_hash from idempotency_keys where key = any ($1::text[])',
}

/**
 * Stores tasks that have keys. Two statements find out whose a key is, for one that another transaction took a
 * moment ago is only visible to the second. A task that is stored already conflicts by its id and changes nothing,
 * so the whole may be repeated.
 */
export function submitKeyed(
  database: Database,
  tasks: readonly NewTask[],
  options: Parameters<TaskStore['submitKeyed']>[1],
): Promise<KeyedStored> {
  return database.transaction((run) => storeKeyed(run, tasks, options))
}

/** The same within the caller's transaction. */
export async function storeKeyed(
  run: Run,
  tasks: readonly NewTask[],
  { allOrNothing, loadOf }: Parameters<TaskStore['submitKeyed']>[1],
): Promise<KeyedStored> {
  const keyed = await takeAndRead(run, tasks)
  const refused = allOrNothing && keyed.some((key) => !key.sameBody)
  const fresh = tasks.filter((_, i) => keyed[i]!.fresh)
  if (refused) await run(forgetKeys, [uuids(fresh.map((task) => task.id))])
  const stored = await storeLoad(run, loadOf(refused ? [] : fresh))
  return { ...stored, keyed }
}

async function takeAndRead(run: Run, tasks: readonly NewTask[]): Promise<KeyedStored['keyed']> {
  const withKey = tasks.filter((task) => task.idempotencyKey !== undefined)
  const keys = texts(withKey.map((task) => task.idempotencyKey!))
  const hashes = new Map(withKey.map((task) => [task.id, bodyHash(task)]))
  await run(takeKeys, [keys, uuids(withKey.map((task) => task.id)), texts([...hashes.values()])])
  const rows = await run<[key: string, id: string, hash: string]>(readKeys, [keys])
  const known = new Map(rows.map(([key, id, hash]) => [key, { id, hash }]))
  return tasks.map((task) => {
    const found = task.idempotencyKey === undefined ? undefined : known.get(task.idempotencyKey)
    if (!found) return { id: task.id, fresh: true, sameBody: true }
    return { id: found.id, fresh: found.id === task.id, sameBody: found.hash === hashes.get(task.id) }
  })
}

const forgetKeys = {
  name: 'keys.forget',
  text: 'delete from idempotency_keys where task_id = any ($1::uuid[])',
}

/** What must be the same for a key to be the same request. */
function bodyHash({ id: _id, batchId: _batch, idempotencyKey: _key, payload, ...rest }: NewTask): string {
  const envelope = JSON.stringify(rest, Object.keys(rest).sort().concat('afterMs', 'at'))
  return createHash('sha256').update(envelope).update('\0').update(payload).digest('base64')
}
