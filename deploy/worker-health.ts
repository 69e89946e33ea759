import { hostname } from 'node:os'
import pg from 'pg'

// A worker opens no port, so its health is what the others see of it: a heartbeat, every 5 seconds, under the name of
// this container. Exits with 0 if there was one lately.

const latelySeconds = 30
const client = new pg.Client({
  connectionString: process.env.DATABASE_URL,
  connectionTimeoutMillis: 4_000,
  query_timeout: 4_000,
})
client.on('error', () => {})
await client.connect()
const { rowCount } = await client.query(
  `select from millrace.workers where host = $1 and last_seen_at > now() - $2 * interval '1 second'`,
  [hostname(), latelySeconds],
)
await client.end()
if (rowCount === 0) {
  console.error(`no worker of ${hostname()} was seen in the last ${latelySeconds} s`)
  process.exitCode = 1
}
