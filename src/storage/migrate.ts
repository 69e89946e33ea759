import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'

const folder = new URL('./migrations/', import.meta.url)

/** Any number: what counts is that every process takes the same. */
const lockKey = 7_281_044_137

/**
 * Brings the schema `millrace` up to date. Forward only, each file in a transaction of its own; any number of
 * processes may call it at once. Answers the names of what was applied. Fails if PostgreSQL is older than 15.
 */
export async function migrateDatabase(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'millrace migrate' })
  client.on('error', () => {})
  await client.connect()
  try {
    await refuseOldServer(client)
    await client.query('select pg_advisory_lock($1)', [lockKey])
    return await applyPending(client)
  } finally {
    await client.end()
  }
}

/** The names of the migrations that a database lacks. */
export async function pendingMigrations(client: pg.ClientBase): Promise<string[]> {
  const known = await client.query("select to_regclass('millrace.migrations') is not null as known")
  if (!known.rows[0].known) return migrationNames()
  const done = await client.query('select name from millrace.migrations')
  const names = new Set(done.rows.map((row) => row.name))
  return migrationNames().filter((name) => !names.has(name))
}

async function applyPending(client: pg.Client): Promise<string[]> {
  const pending = await pendingMigrations(client)
  if (pending.length === 0) return []
  await client.query('create schema if not exists millrace')
  await client.query(
    'create table if not exists millrace.migrations (name text primary key, applied_at timestamptz not null default now())',
  )
  for (const name of pending) await apply(client, name)
  return pending
}

async function apply(client: pg.Client, name: string): Promise<void> {
  await client.query('begin')
  await client.query('set local search_path = millrace')
  await client.query(readFileSync(new URL(name, folder), 'utf8'))
  await client.query('insert into millrace.migrations (name) values ($1)', [name])
  await client.query('commit')
}

export function migrationNames(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

async function refuseOldServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query("select current_setting('server_version_num')::int as version")
  const version = rows[0].version as number
  if (version < 150_000) {
    throw new Error(`PostgreSQL ${Math.floor(version / 10_000)} is too old: Millrace needs 15 or newer`)
  }
}
