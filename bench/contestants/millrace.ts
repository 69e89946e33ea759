import { join } from 'node:path'
import pg from 'pg'
import { migrate } from '../../src/main/migrate.ts'
import { brokerProgram } from '../../test/support/broker-node.ts'
import type { Contestant, Entry } from '../contestant.ts'
import { startProgram } from '../program.ts'
import { openPostgres, openRabbit } from '../servers.ts'
import { crew } from './crew.ts'

const program = join(import.meta.dirname, '../../src/cli/main.ts')
const loadProgram = join(import.meta.dirname, '../load-program.ts')
const tasks = join(import.meta.dirname, '../tasks.ts')

/** Millrace as users run it: an api process, a worker process, PostgreSQL alone. */
export const millrace: Contestant = {
  name: 'Millrace',
  about: 'over HTTP; keeps tasks, results and exact counts',
  open: (folder) => enter(folder),
}

/** The same with RabbitMQ between them. */
export const millraceRabbit: Contestant = {
  name: 'Millrace RabbitMQ',
  about: 'the same with RabbitMQ between api and worker',
  missing: () => (brokerProgram() ? undefined : 'install rabbitmq-server'),
  async open(folder) {
    const broker = await openRabbit(folder)
    const entry = await enter(folder, broker.url)
    return {
      ...entry,
      pids: () => ({ ...entry.pids(), RabbitMQ: broker.pids() }),
      async close() {
        await entry.close()
        await broker.stop()
      },
    }
  },
}

async function enter(folder: string, amqpUrl?: string): Promise<Entry> {
  const server = await openPostgres(folder)
  await migrate(server.url)
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: server.url,
    ...(amqpUrl ? { AMQP_URL: amqpUrl } : {}),
    TASKS: tasks,
    PORT: '0',
    LOG_LEVEL: 'warn',
  }
  const api = await startProgram(program, { args: ['api'], env })
  const load = await startProgram(loadProgram, { args: [api.url] })
  const workers = crew((expected, { concurrency, sleepMs }) =>
    startProgram(program, {
      args: ['worker'],
      env: {
        ...env,
        BENCH_TASKS: String(expected),
        BENCH_SLEEP_MS: String(sleepMs),
        CONCURRENCY: String(concurrency),
      },
    }),
  )
  const sql = new pg.Client({ connectionString: server.url, options: '-c search_path=millrace' })
  await sql.connect()
  return {
    submit: (count, shape) => load.call('submit', count, shape),
    flow: (flow) => load.call('flow', flow),
    work: workers.work,
    killWorkers: workers.kill,
    completed,
    effort: server.effort,
    pids: () => ({ load: [load.pid], api: [api.pid], worker: workers.pids(), PostgreSQL: server.pids() }),
    leave,
    async close() {
      await leave()
      await sql.end()
      await server.stop()
    },
  }

  async function completed(): Promise<number> {
    const { rows } = await sql.query<{ n: number }>(
      `select coalesce(sum(n), 0)::int as n from counters where status = 'completed'`,
    )
    return rows[0]!.n
  }

  async function leave() {
    await Promise.all([load.stop(), api.stop(), workers.stop()])
  }
}
