import { createHash, randomUUID } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { after, type TestContext } from 'node:test'
import pg from 'pg'
import { type Embedded, startEmbedded } from '../../src/embedded/index.ts'
import { makeFolder, removeFolder } from './folder.ts'
import { until } from './until.ts'

/**
 * An operating system that crashes is no part of the tests, and processes that are killed lose nothing that
 * they gave to the system; so the server of the tests need not wait for the disk.
 */
export const testSettings = { fsync: 'off', max_connections: '400', shared_buffers: '128MB' }

/** A test, or whatever else says when its things may go. */
type Owner = { after(end: () => Promise<unknown>): unknown }

/** A new, empty, migrated database on the tests' server, dropped when the test is over. Answers its URL. */
export async function testDatabase(t: Owner): Promise<string> {
  const server = await serverUrl()
  const template = await templateDatabase(server)
  return cloneOf(t, { server, template })
}

/** The same without a table in it. */
export async function emptyDatabase(t: Owner): Promise<string> {
  return cloneOf(t, { server: await serverUrl(), template: 'template0' })
}

/** A server of this test's own, which it may stop, kill and start. Its database is not migrated. */
export async function testServer(t: TestContext) {
  const folder = makeFolder('postgres')
  let server = await startEmbedded({ dataDir: folder, settings: testSettings })
  t.after(async () => {
    await server.stop()
    removeFolder(folder)
  })
  return {
    url: server.url,
    stop: () => server.stop(),
    /** Starts it again at the same address. */
    start: async () => {
      server = await startEmbedded({ dataDir: folder, settings: testSettings })
    },
    /** Kills it with -9. It comes back by itself. */
    kill: () => process.kill(postmasterPid(folder), 'SIGKILL'),
  }
}

export function postmasterPid(dataDir: string): number {
  return Number.parseInt(readFileSync(`${dataDir}/postgres/postmaster.pid`, 'utf8'), 10)
}

/** Runs one statement on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(statement, values)).rows
  } finally {
    await client.end()
  }
}

let ownServer: Promise<{ server: Embedded; folder: string }> | undefined
after(async () => {
  if (ownServer === undefined) return
  const { server, folder } = await ownServer
  await server.stop()
  removeFolder(folder)
})

/** The server of the whole run or, when a test file is run by itself, one for this file. */
async function serverUrl(): Promise<string> {
  if (process.env.TEST_DATABASE_URL) return process.env.TEST_DATABASE_URL
  ownServer ??= startOwnServer()
  return (await ownServer).server.url
}

async function startOwnServer() {
  const folder = makeFolder('postgres')
  return { folder, server: await startEmbedded({ dataDir: folder, settings: testSettings }) }
}

async function cloneOf(t: Owner, { server, template }: { server: string; template: string }) {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await until(() => createDatabase(server, { name, template }), { what: 'a copy of the template database' })
  t.after(() => query(server, `drop database if exists ${name} with (force)`))
  return databaseUrl(server, name)
}

/** Fails while the connection that migrated the template is not quite gone. */
async function createDatabase(server: string, { name, template }: { name: string; template: string }) {
  await query(server, `create database ${name} template ${template}`)
  return true
}

const templateLock = 862_341

/** Migrated once, by whichever test process comes first; named after the migrations it was made of. */
async function templateDatabase(server: string): Promise<string> {
  const name = `template_${migrationsDigest()}`
  const client = new pg.Client(server)
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [templateLock])
    const found = await client.query('select from pg_database where datname = $1', [name])
    if (found.rows.length === 0) await makeTemplate(client, { server, name })
    return name
  } finally {
    await client.end()
  }
}

async function makeTemplate(client: pg.Client, { server, name }: { server: string; name: string }) {
  const half = `${name}_half`
  await client.query(`drop database if exists ${half} with (force)`)
  await client.query(`create database ${half}`)
  const { migrate } = await import('../../src/main/migrate.ts')
  await migrate(databaseUrl(server, half))
  await until(
    async () => {
      await client.query(`alter database ${half} rename to ${name}`)
      return true
    },
    { what: 'the end of the connection that migrated' },
  )
}

function migrationsDigest(): string {
  const digest = createHash('sha256')
  for (const file of globSync(`${import.meta.dirname}/../../src/storage/**/*.{sql,ts}`).sort())
    digest.update(readFileSync(file))
  return digest.digest('hex').slice(0, 16)
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
