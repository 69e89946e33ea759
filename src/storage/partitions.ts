import { lowestIdAt } from '../domain/id.ts'
import { readNowMs } from './clock.ts'
import type { Database, Run } from './connection.ts'

const dayMs = 86_400_000

/** An eighth of the retention and a day at least: some ten partitions, because each one costs the hot statements. */
export function partitionWidthMs(retentionDays: number): number {
  return Math.max(1, Math.ceil(retentionDays / 8)) * dayMs
}

/** How many partitions there should be after the current one. */
const ahead = 2

export type Partition = { name: string; lowerMs: number; upperMs: number }

const takeLock = {
  name: 'partitions.lock',
  text: `select pg_advisory_xact_lock(hashtextextended('millrace.partitions', 0))`,
}
const readPartitions = {
  name: 'partitions.list',
  text: 'select name, lower_id, upper_id, sealed_at is not null from partitions order by lower_id',
}

/** Makes the partitions of now and of the time ahead where they are missing. Any number of processes may call it. */
export async function keepPartitions(database: Database, retentionDays: number): Promise<void> {
  const nowMs = await readNowMs(database.run)
  const known = await listPartitions(database.run)
  const missing = missingPartitions(known, nowMs, partitionWidthMs(retentionDays))
  for (const partition of missing) await database.transaction((run) => createPartition(run, partition))
}

export async function listPartitions(run: Run): Promise<(Partition & { sealed: boolean })[]> {
  const rows = await run<[name: string, lower: string, upper: string, sealed: boolean]>(readPartitions)
  return rows.map(([name, lower, upper, sealed]) => ({
    name,
    lowerMs: msOf(lower),
    upperMs: msOf(upper),
    sealed,
  }))
}

/** Fills the time from now to `ahead` widths later, beside what is there, whatever its width was. */
export function missingPartitions(known: readonly Partition[], nowMs: number, widthMs: number): Partition[] {
  const untilMs = nowMs + ahead * widthMs
  const missing: Partition[] = []
  let atMs = Math.floor(nowMs / dayMs) * dayMs
  while (atMs <= untilMs) {
    const covering = known.find(({ lowerMs, upperMs }) => lowerMs <= atMs && atMs < upperMs)
    const nextMs = Math.min(...known.map(({ lowerMs }) => lowerMs).filter((ms) => ms > atMs))
    const upperMs = covering ? covering.upperMs : Math.min(atMs + widthMs, nextMs)
    if (!covering) missing.push({ name: nameOf(atMs), lowerMs: atMs, upperMs })
    atMs = upperMs
  }
  return missing
}

function nameOf(ms: number): string {
  return `tasks_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`
}

export function msOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}

/**
 * Rows of the new range that a skewed clock put into the default partition move over. Writers wait meanwhile, before
 * they look which partitions there are: one that waited for a row to move would find it gone and change nothing.
 */
export async function createPartition(run: Run, { name, lowerMs, upperMs }: Partition): Promise<void> {
  await run(takeLock)
  const known = await listPartitions(run)
  if (known.some((other) => other.lowerMs < upperMs && lowerMs < other.upperMs)) return // another process was faster
  const [lower, upper] = [lowestIdAt(lowerMs), lowestIdAt(upperMs)]
  const plain = (text: string) => run({ name: '', text })
  // Others must not wait for long behind this wait: somebody's transaction that has submitted in SQL may stay open.
  await plain(`set local lock_timeout = '250ms'`)
  await plain('lock table tasks in share row exclusive mode')
  await plain(`set local lock_timeout = '2s'`)
  await plain(`create table ${name} (like tasks including all) with (fillfactor = 45)`)
  await plain(`
    with strays as (delete from tasks_default where id >= '${lower}' and id < '${upper}' returning *)
    insert into ${name} select * from strays`)
  await plain(`alter table tasks attach partition ${name} for values from ('${lower}') to ('${upper}')`)
  await run(
    { name: 'partitions.add', text: 'insert into partitions (name, lower_id, upper_id) values ($1, $2, $3)' },
    [name, lower, upper],
  )
}
