import { join } from 'node:path'
import pg from 'pg'
import { createClient } from '../../src/client/index.ts'
import { migrate } from '../../src/main/migrate.ts'
import type { Contestant, Shape } from '../contestant.ts'
import { type Program, startProgram } from '../program.ts'
import { openPostgres } from '../servers.ts'

const program = join(import.meta.dirname, '../../src/cli/main.ts')
const payload = 'x'.repeat(98) // and two quotes

/** Millrace as users run it: an api process, a worker process, PostgreSQL alone. */
export const millrace: Contestant = {
  name: 'Millrace',
  about: 'over HTTP; keeps tasks, results and exact counts',
  async open(folder) {
    const server = await openPostgres(folder)
    await migrate(server.url)
    const sql = new pg.Client({ connectionString: server.url, options: '-c search_path=millrace' })
    await sql.connect()
    let url = ''
    const environment = (more: Record<string, string> = {}) => ({
      PATH: process.env.PATH,
      DATABASE_URL: server.url,
      TASKS: join(import.meta.dirname, '../tasks.ts'),
      PORT: '0',
      LOG_LEVEL: 'warn',
      ...more,
    })
    const api = await startProgram(program, {
      args: ['api'],
      env: environment(),
      onReady: (said) => {
        url = said.url ?? ''
      },
    })
    const client = createClient({ url })
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

async function submit(client: ReturnType<typeof createClient>, count: number, { inOne, lanes }: Shape) {
  let left = count
  const lane = async () => {
    while (left > 0) {
      const size = Math.min(inOne, left)
      left -= size
      if (size === 1 && inOne === 1) await client.submit('noop', payload)
      else await client.submitBatch(Array.from({ length: size }, () => ({ type: 'noop', payload })))
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
