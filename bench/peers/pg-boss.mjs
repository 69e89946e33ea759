import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { loadWith, nothing, serve } from '../serve.ts'

// Tuned as https://pgboss.io/api/workers says for throughput: large batches, several workers, and polling again at once.
const [url] = process.argv.slice(2)
const queue = 'bench'
const boss = new PgBoss({ connectionString: url, max: 10 })
const sql = new pg.Client(url)
boss.on('error', (error) => console.error(error))
await Promise.all([boss.start(), sql.connect()])

serve({
  async prepare() {
    await boss.createQueue(queue)
  },
  ...loadWith((payloads) =>
    payloads.length === 1
      ? boss.send(queue, payloads[0])
      : boss.insert(
          queue,
          payloads.map((data) => ({ data })),
        ),
  ),
  async work(expected, { concurrency, sleepMs }) {
    const run = nothing(expected, sleepMs)
    const options = {
      batchSize: Math.ceil(concurrency / 4),
      localConcurrency: 4,
      pollingIntervalSeconds: 0.5,
      burstWhenBatchFull: true,
    }
    await boss.work(queue, options, async (jobs) => Promise.all(jobs.map(({ data }) => run(data))))
  },
  async completed() {
    const { rows } = await sql.query(
      `select count(*)::int as n from pgboss.job where name = $1 and state = 'completed'`,
      [queue],
    )
    return rows[0].n
  },
})
