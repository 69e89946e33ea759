import { readNowMs } from './clock.ts'
import type { Database } from './connection.ts'
import { migrationNames } from './migrate.ts'
import { listPartitions } from './partitions.ts'

const readVersion = { name: 'server.version', text: `select current_setting('server_version')` }
const readMigrations = { name: '', text: `select to_regclass('millrace.migrations') is not null` }
const readApplied = { name: '', text: 'select name from millrace.migrations' }
const soonMs = 86_400_000

export async function databaseAnswers({ run }: Database): Promise<string> {
  const [row] = await run<[string]>(readVersion)
  return `PostgreSQL ${row![0]}`
}

export async function isMigrated({ run }: Database): Promise<undefined> {
  const [known] = await run<[boolean]>(readMigrations)
  const applied = known![0] ? (await run<[string]>(readApplied)).map(([name]) => name) : []
  const pending = migrationNames().filter((name) => !applied.includes(name))
  if (pending.length > 0) throw new Error(`run \`millrace migrate\`: ${pending.join(', ')} not applied`)
}

export async function partitionsReachAhead({ run }: Database): Promise<string> {
  const last = (await listPartitions(run)).at(-1)
  if (!last || last.upperMs < (await readNowMs(run)) + soonMs) {
    throw new Error('less than a day of partitions is left: housekeeping does not get to make new ones')
  }
  return `until ${new Date(last.upperMs).toISOString().slice(0, 10)}`
}
