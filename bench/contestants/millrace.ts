import { join } from 'node:path'
import pg from 'pg'
import { createClient } from '../../src/client/index.ts'
import { migrate } from '../../src/main/migrate.ts'
import type { Contestant, Shape } from '../contestant.ts'
import { type Program, startProgram } from '../program.ts'
import { payload, putAll } from '../serve.ts'
import { openPostgres } from '../servers.ts'

const program = join(import.meta.dirname, '../../src/cli/main.ts')

/** Millrace as users run it: an api process, a worker process, PostgreSQL alone. */
export const millrace: Contestant = {
  name: 'Millrace',
  about: 'over HTTP; keeps tasks, results and exact counts',
  async open(folder) {
    const server = await openPostgres(folder)
    await migrate(server.url)
    const sql = new pg.Client({ connectionString: server.url, options: '-c search_path=millrace' })
    await sql.connect()
    const environment = (more: Record<string, string> = {}) => ({
      PATH: process.env.PATH,
      DATABASE_URL: server.url,
      TASKS: join(import.meta.dirname, '../tasks.ts'),
      PORT: '0',
      LOG_LEVEL: 'warn',
      ...more,
    })
    const api = await startProgram(program, { args: ['api'], env: environment() })
    const client = createClient({ url: api.url })
    let worker: Program | undefined
    return {
      submit: (count, shape) => submit(client, count, shape),
      async work(expected, { concurrency, sleepMs }) {
        worker = await startProgram(program, {
          args: ['worker'],
          env: environment({
            BENCH_TASKS: String(expected),
            BENCH_SLEEP_MS: String(sleepMs),
            CONCURRENCY: String(concurrency),
          }),
        })
        return worker.working
      },
      async completed() {
        const { rows } = await sql.query<{ n: number }>(
          `select coalesce(sum(n), 0)::int as n from counters where status = 'completed'`,
        )
        return rows[0]!.n
      },
      walBytes: server.walBytes,
      pids: () => ({ api: [api.pid], worker: worker ? [worker.pid] : [], PostgreSQL: server.pids() }),
      async close() {
        await Promise.all([api.stop(), worker?.stop()])
        await sql.end()
        await server.stop()
      },
    }
  },
}

async function submit(client: ReturnType<typeof createClient>, count: number, shape: Shape): Promise<void> {
  const task = { type: 'noop', payload }
  await putAll(count, shape, (size) =>
    shape.inOne === 1
      ? client.submit(task.type, task.payload)
      : client.submitBatch(Array.from({ length: size }, () => task)),
  )
}
