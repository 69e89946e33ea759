import { join } from 'node:path'
import pg from 'pg'
import { migrate } from '../../src/main/migrate.ts'
import { openLink } from '../../test/faults/system/link.ts'
import { brokerProgram } from '../../test/support/broker-node.ts'
import type { Contestant, Effort, Entry } from '../contestant.ts'
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
    const entry = await enter(folder, { amqpUrl: broker.url })
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

/** Millrace in other places than one small machine. */
export const elsewhere: readonly Contestant[] = [
  ...[2, 4].map(
    (each): Contestant => ({
      name: `Millrace ${each}+${each}`,
      about: `${each} api and ${each} worker processes`,
      isExtra: true,
      open: (folder) => enter(folder, { each }),
    }),
  ),
  ...[0, 1, 5].map(
    (delayMs): Contestant => ({
      name: `Millrace ${delayMs} ms away`,
      about: `its database ${delayMs} ms away in each direction, through a proxy`,
      isExtra: true,
      open: (folder) => enter(folder, { delayMs }),
    }),
  ),
]

type Setting = { amqpUrl?: string; each?: number; delayMs?: number }

async function enter(folder: string, { amqpUrl, each = 1, delayMs }: Setting = {}): Promise<Entry> {
  const server = await openPostgres(folder)
  await migrate(server.url)
  const link = delayMs === undefined ? undefined : await openLink(server.url)
  link?.delay(delayMs ?? 0)
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: link?.url ?? server.url,
    ...(amqpUrl ? { AMQP_URL: amqpUrl } : {}),
    TASKS: tasks,
    PORT: '0',
    LOG_LEVEL: 'warn',
  }
  const apis = await Promise.all(
    Array.from({ length: each }, () => startProgram(program, { args: ['api'], env })),
  )
  const load = await startProgram(loadProgram, { args: apis.map(({ url }) => url) })
  const workers = crew(
    (expected, { concurrency, sleepMs }) =>
      startProgram(program, {
        args: ['worker'],
        env: {
          ...env,
          BENCH_TASKS: String(expected),
          BENCH_SLEEP_MS: String(sleepMs),
          CONCURRENCY: String(concurrency),
        },
      }),
    each,
  )
  const sql = new pg.Client({ connectionString: server.url, options: '-c search_path=millrace' })
  await sql.connect()
  return {
    submit: (count, shape) => load.call('submit', count, shape),
    flow: (flow) => load.call('flow', flow),
    work: workers.work,
    stopWorkers: workers.stop,
    killWorkers: workers.kill,
    completed,
    effort,
    pids: () => ({
      load: [load.pid],
      api: apis.map(({ pid }) => pid),
      worker: workers.pids(),
      PostgreSQL: server.pids(),
    }),
    own: { databaseUrl: server.url, apiUrl: apis[0]!.url },
    leave,
    async close() {
      await leave()
      await sql.end()
      await link?.close()
      await server.stop()
    },
  }

  async function completed(): Promise<number> {
    const { rows } = await sql.query<{ n: number }>(
      `select coalesce(sum(n), 0)::int as n from counters where status = 'completed'`,
    )
    return rows[0]!.n
  }

  async function effort(): Promise<Effort> {
    const { rows } = await sql.query<{ packets: number }>(
      `select coalesce(pg_sequence_last_value('packets_id_seq'), 0)::int as packets`,
    )
    return { ...(await server.effort()), packets: rows[0]!.packets }
  }

  async function leave() {
    await Promise.all([load.stop(), ...apis.map((api) => api.stop()), workers.stop()])
  }
}
