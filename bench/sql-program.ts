import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { migrate } from '../src/main/migrate.ts'
import { openNode } from '../src/main/node.ts'
import { startWorkerServices } from '../src/main/worker.ts'
import { readConfig } from '../src/runtime/config.ts'
import { createLog } from '../src/runtime/log.ts'
import { type Service, stopAll } from '../src/runtime/service.ts'
import { startBrokerNode } from '../test/support/broker-node.ts'
import { removeFolder } from '../test/support/folder.ts'
import { openPostgres } from './servers.ts'
import { percentiles } from './workload.ts'

// Submitting in SQL: from before the commit to the start of the task at an idle system, on both transports, and how
// many transactions a second commit with different ways of telling workers. `node bench/sql-program.ts`

const count = 100
const pauseMs = 100
const lanes = 8
const seconds = 3

const told = {
  'one at a time': `pg_try_advisory_xact_lock(hashtextextended('millrace.notice', 0))`,
  each: 'true',
  none: 'false',
}

const folder = join(tmpdir(), `millrace-sql-${process.pid}`)
mkdirSync(join(folder, 'broker'), { recursive: true })
const postgres = await openPostgres(folder)
try {
  await migrate(postgres.url)
  await report('PostgreSQL alone', undefined)
  const broker = await startBrokerNode(join(folder, 'broker'), ['bench'])
  await report('RabbitMQ', broker.url('bench'))
  await broker.stop()
  for (const way of ['one at a time', 'each', 'none'] as const)
    console.log(`${way} notifies: ${await commitsPerSecond(way)} transactions/s, ${lanes} connections`)
} finally {
  await postgres.stop()
  removeFolder(folder)
}

async function report(name: string, amqpUrl: string | undefined): Promise<void> {
  const config = readConfig({
    ...(amqpUrl ? { AMQP_URL: amqpUrl } : {}),
    TASKS: join(import.meta.dirname, '../test/fixtures/tasks.ts'),
  })
  const log = createLog({ level: 'silent', format: 'json', name: 'bench' })
  const api = await openNode(config, postgres.url, log)
  const services: Service[] = []
  await startWorkerServices(config, postgres.url, { log, services })
  await sleep(3_000)
  console.log(name, JSON.stringify(percentiles(await delays())), 'ms')
  await stopAll([...api.services, ...services], () => {})
}

async function delays(): Promise<number[]> {
  const client = await connected()
  const begun = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    await sleep(pauseMs * (0.5 + Math.random()))
    await client.query('begin')
    const { rows } = await client.query(`select millrace.submit('1', type := 'noop') as id`)
    begun.set(rows[0].id, Date.now())
    await client.query('commit')
  }
  await sleep(2_000)
  const { rows } = await client.query<{ id: string; started_at: Date }>(
    'select id, started_at from millrace.tasks where id = any ($1) and started_at is not null',
    [[...begun.keys()]],
  )
  await client.end()
  if (rows.length < count) throw new Error(`${count - rows.length} tasks have not started`)
  return rows.map(({ id, started_at }) => started_at.getTime() - begun.get(id)!)
}

async function commitsPerSecond(way: keyof typeof told): Promise<number> {
  const [first, ...others] = await Promise.all(Array.from({ length: lanes }, connected))
  await first!.query(`
    create or replace function millrace.do_at_commit() returns trigger language plpgsql security definer as $$
    begin
      if ${told[way]} then perform pg_notify('millrace_packets', 'sql'); end if;
      return null;
    end $$`)
  let transactions = 0
  const untilMs = performance.now() + seconds * 1_000
  await Promise.all(
    [first!, ...others].map(async (client) => {
      while (performance.now() < untilMs) {
        await client.query(`select millrace.submit('{"a":1}', type := 'noop')`)
        transactions += 1
      }
      await client.end()
    }),
  )
  return Math.round(transactions / seconds)
}

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: postgres.url })
  client.on('error', () => {}) // what a query finds is told by the query
  await client.connect()
  return client
}
