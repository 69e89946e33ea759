import { lowestIdAt } from '../domain/id.ts'
import { uuids } from './arrays.ts'
import { readNowMs } from './clock.ts'
import type { Database, Run } from './connection.ts'
import { listPartitions, type Partition } from './partitions.ts'

const dayMs = 86_400_000
const stepRows = 1_000

/**
 * Lets go of finished tasks that are older than the retention: whole partitions where everything is finished and old
 * enough, and single rows in small steps where something is not. The counts go with the rows.
 */
export async function retire(database: Database, retentionDays: number): Promise<void> {
  const cutoffMs = (await readNowMs(database.run)) - retentionDays * dayMs
  const old = (await listPartitions(database.run)).filter(({ upperMs }) => upperMs < cutoffMs)
  for (const partition of old) {
    const dropped =
      (await isRetirable(database.run, partition, cutoffMs)) && (await drop(database, partition, cutoffMs))
    if (!dropped) await thin(database, partition, cutoffMs)
  }
  await thin(database, { name: 'tasks_default' }, cutoffMs)
  await forgetOldKeys(database, retentionDays)
  await forgetOldBatches(database, cutoffMs)
}

type Named = Pick<Partition, 'name'>

async function isRetirable(run: Run, { name }: Named, cutoffMs: number): Promise<boolean> {
  const [living] = await run<[boolean]>(
    {
      name: '',
      text: `select exists (select from ${name} where finished_at is null or finished_at >= to_timestamp($1 / 1000.0))`,
    },
    [cutoffMs],
  )
  return !living![0]
}

/**
 * Sealed first, so that no retry brings a row to life; then counted, however long that takes, for nothing in it can
 * move; then dropped and subtracted in one short transaction. Answers false where a retry came before the seal.
 */
async function drop(database: Database, partition: Partition, cutoffMs: number): Promise<boolean> {
  const { name } = partition
  await database.run(seal, [name])
  await database.transaction((run) => waitForWriters(run, name))
  if (!(await isRetirable(database.run, partition, cutoffMs))) {
    await database.run(unseal, [name])
    return false
  }
  const counts = await database.run<[string, string, string, number]>({
    name: '',
    text: `select queue, type, status, count(*) from ${name} group by queue, type, status`,
  })
  await database.transaction(async (run) => {
    if ((await run(stillThere, [name])).length === 0) return // another process was faster
    await run({ name: '', text: `set local lock_timeout = '500ms'` })
    await run({ name: '', text: `alter table tasks detach partition ${name}` })
    await run({ name: '', text: `drop table ${name}` })
    for (const [queue, type, status, n] of counts) await run(subtract, [queue, type, status, n])
    await run({ name: 'partitions.forget', text: 'delete from partitions where name = $1' }, [name])
  })
  await forgetRange(database, partition)
  return true
}

const seal = { name: 'partitions.seal', text: 'update partitions set sealed_at = now() where name = $1' }
const unseal = { name: 'partitions.unseal', text: 'update partitions set sealed_at = null where name = $1' }

/** A retry that read the partition before it was sealed is done once this lock was had for a moment. */
async function waitForWriters(run: Run, name: string): Promise<void> {
  await run({ name: '', text: `set local lock_timeout = '5s'` })
  await run({ name: '', text: `lock table ${name} in share row exclusive mode` })
}

const stillThere = {
  name: 'partitions.still-there',
  text: 'select name from partitions where name = $1 for update',
}

const subtract = {
  name: 'counters.subtract',
  text: `
  insert into counters as c (slot, queue, type, status, n)
  values (pg_backend_pid(), $1, $2, $3::task_status, -$4::bigint)
      on conflict (slot, queue, type, status) do update set n = c.n + excluded.n`,
}

/** Rows of side tables that belong to a range of the key that is gone. */
async function forgetRange({ run }: Database, { lowerMs, upperMs }: Partition): Promise<void> {
  const range = [lowestIdAt(lowerMs), lowestIdAt(upperMs)]
  for (const [table, column] of [
    ['attempts', 'task_id'],
    ['progress', 'task_id'],
    ['stopped', 'task_id'],
    ['callbacks', 'task_id'],
  ] as const) {
    await run({ name: '', text: `delete from ${table} where ${column} >= $1 and ${column} < $2` }, range)
  }
}

/** Deletes old final rows of a partition that cannot go as a whole, a thousand at a time. */
async function thin(database: Database, { name }: Named, cutoffMs: number): Promise<void> {
  for (;;) {
    const gone = await database.run<[string]>(
      {
        name: '',
        text: `
        with old as materialized (
          select id from ${name}
           where status in ('completed', 'failed', 'canceled') and finished_at < to_timestamp($1 / 1000.0)
           limit $2
             for update skip locked
        ), gone as (
          delete from ${name} as t using old where t.id = old.id returning t.id, t.queue, t.type, t.status
        ), counted as (
          insert into counters as c (slot, queue, type, status, n)
          select pg_backend_pid(), queue, type, status, -count(*) from gone group by queue, type, status
              on conflict (slot, queue, type, status) do update set n = c.n + excluded.n
        )
        select id from gone`,
      },
      [cutoffMs, stepRows],
    )
    if (gone.length === 0) return
    await forgetTasks(
      database.run,
      gone.map(([id]) => id),
    )
  }
}

async function forgetTasks(run: Run, ids: readonly string[]): Promise<void> {
  for (const table of ['attempts', 'progress', 'stopped', 'callbacks']) {
    await run({ name: `${table}.forget`, text: `delete from ${table} where task_id = any ($1::uuid[])` }, [
      uuids(ids),
    ])
  }
}

async function forgetOldKeys({ run }: Database, retentionDays: number): Promise<void> {
  const forget = {
    name: 'keys.forget-old',
    text: `
    delete from idempotency_keys
     where key in (select key from idempotency_keys where created_at < now() - $1 * interval '1 day' limit $2)
    returning key`,
  }
  while ((await run(forget, [retentionDays, stepRows])).length > 0);
}

/** What a batch has come to is known for as long after its end as its tasks are. */
async function forgetOldBatches({ run }: Database, cutoffMs: number): Promise<void> {
  const forget = {
    name: 'batches.forget-old',
    text: `
    with old as materialized (
      select id from batches where finished_at < to_timestamp($1 / 1000.0) order by finished_at limit $2
         for update skip locked
    ), counts as (
      delete from batch_counters where batch_id in (select id from old)
    ), sequels as (
      delete from batch_sequels where batch_id in (select id from old)
    ), callbacks as (
      delete from batch_callbacks where batch_id in (select id from old)
    )
    delete from batches where id in (select id from old) returning id`,
  }
  while ((await run(forget, [cutoffMs, stepRows])).length > 0);
}
