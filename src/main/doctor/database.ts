import pg from 'pg'
import { runningUrl } from '../../embedded/index.ts'
import type { Config } from '../../runtime/config.ts'
import { withoutPassword } from '../../runtime/settings.ts'
import { pendingMigrations } from '../../storage/migrate.ts'
import { type Finding, fail, messageOf, ok, warn } from './finding.ts'

const oldestMajor = 15
const largestSkewMs = 2_000
const answerWithinMs = 5_000

/** Whether the database answers, is new enough and up to date, and what its clock says. */
export async function* databaseFindings({ databaseUrl, dataDir }: Config): AsyncGenerator<Finding> {
  const url = databaseUrl ?? (await runningUrl(dataDir))
  if (url === undefined)
    return yield ok('database', 'the embedded PostgreSQL is not running; whatever needs it starts it')
  const client = clientFor(url)
  try {
    yield await reached(client, url)
    yield await upToDate(client)
    yield await inStep(client)
  } catch (error) {
    yield fail(
      'database',
      `${withoutPassword(url)}: ${messageOf(error)}`,
      'see that it runs and that DATABASE_URL is right',
    )
  } finally {
    await client.end().catch(() => {})
  }
}

function clientFor(connectionString: string): pg.Client {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: answerWithinMs,
    query_timeout: answerWithinMs,
    application_name: 'millrace doctor',
  })
  return client.on('error', () => {})
}

async function reached(client: pg.Client, url: string): Promise<Finding> {
  await client.connect()
  const { rows } = await client.query("select current_setting('server_version') as version")
  const [version] = String(rows[0].version).split(' ')
  const words = `PostgreSQL ${version} at ${withoutPassword(url)}`
  if (Number.parseInt(version ?? '', 10) >= oldestMajor) return ok('database', words)
  return fail('database', words, `Millrace needs PostgreSQL ${oldestMajor} or newer`)
}

async function upToDate(client: pg.Client): Promise<Finding> {
  const pending = await pendingMigrations(client)
  if (pending.length === 0) return ok('migrations', 'all are applied')
  return warn(
    'migrations',
    `${pending.join(', ')} missing`,
    'run `millrace migrate`; api and worker do it when they start',
  )
}

/** Compared with the middle of the question's way there and back. */
async function inStep(client: pg.Client): Promise<Finding> {
  const askedMs = Date.now()
  const { rows } = await client.query('select extract(epoch from clock_timestamp())::float8 * 1000 as now_ms')
  const skewMs = Math.round(Number(rows[0].now_ms) - (askedMs + Date.now()) / 2)
  const words = `the database's clock is ${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`
  if (Math.abs(skewMs) <= largestSkewMs) return ok('clock', words)
  return warn('clock', words, 'let both follow NTP; due times are of the database, ids of the api processes')
}
