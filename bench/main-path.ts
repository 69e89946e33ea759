import { parseArgs } from 'node:util'
import { createClient } from '../src/client/index.ts'
import { cpuSeconds, memoryMb, openBench, until } from './system.ts'

/*
 * The main path, measured: `node bench/main-path.ts [--tasks 20000] [--waiting 10000] [--kills 10] [--amqp URL]`.
 * Submits no-op tasks in batches over HTTP, drains them with one worker, runs 10,000 waits of 3 s at once, and kills
 * workers. A benchmark and no test: it asserts that every task is done, and prints what it took.
 */
const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '20000' },
    waiting: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '10' },
    amqp: { type: 'string' },
  },
})
const bench = await openBench(values.amqp)
const api = await bench.start('api')
const client = createClient({ url: api.url })
console.log(`transport: ${values.amqp ? 'RabbitMQ' : 'PostgreSQL'}`)
try {
  await drain(Number(values.tasks))
  await waitAtOnce(Number(values.waiting))
  await recover(Number(values.kills))
} finally {
  await bench.close()
}

async function submit(type: string, count: number, inOne: number): Promise<void> {
  const payload = 'x'.repeat(100)
  const requests = Array.from({ length: Math.ceil(count / inOne) }, (_, i) =>
    Math.min(inOne, count - i * inOne),
  )
  const sendSome = async () => {
    for (let size = requests.pop(); size !== undefined; size = requests.pop()) {
      await client.submitBatch(Array.from({ length: size }, () => ({ type, payload })))
    }
  }
  await Promise.all(Array.from({ length: 8 }, sendSome))
}

async function drain(count: number): Promise<void> {
  const before = await snapshot()
  const beganMs = performance.now()
  await submit('noop', count, 100)
  show('submitted in batches of 100', count / seconds(beganMs), 'tasks/s')
  const worker = await bench.start('worker')
  const cpuBefore = cpuSeconds(worker.pid) ?? 0
  await untilDone()
  const after = await snapshot()
  const { took } = (await one(
    `select extract(epoch from max(finished_at) - min(started_at))::float8 as took from tasks`,
  )) as { took: number }
  show('drained (no-op), one worker', count / took, 'tasks/s')
  show('WAL, whole life', (after.wal - before.wal) / count, 'bytes a task')
  show('transactions, whole life', (after.commits - before.commits) / count, 'a task')
  show('heap-only updates', (100 * (after.hot - before.hot)) / (after.updates - before.updates), '%')
  show('worker CPU', (1e6 * ((cpuSeconds(worker.pid) ?? 0) - cpuBefore)) / count, 'µs a task')
  await worker.kill('SIGTERM')
}

async function waitAtOnce(count: number): Promise<void> {
  if (count === 0) return
  const worker = await bench.start('worker', { CONCURRENCY: String(count) })
  const idle = memoryMb(worker.pid) ?? 0
  const beganMs = performance.now()
  await submit('wait', count, 1_000)
  await until(async () => (await client.stats()).counts.processing === count || seconds(beganMs) > 30)
  show('worker memory when idle', idle, 'MB')
  show(`worker memory with ${count} in flight`, memoryMb(worker.pid) ?? 0, 'MB')
  await untilDone()
  show(`${count} × 3 s at once, from the first submission`, seconds(beganMs), 's')
  await worker.kill('SIGTERM')
}

/** From `kill -9` of one worker to the last of its tasks running at another. */
async function recover(times: number): Promise<void> {
  const took: number[] = []
  for (let i = 0; i < times; i++) took.push(await recoverOnce())
  if (times === 0) return
  took.sort((a, b) => a - b)
  show('kill -9 to running again, median', took[Math.floor(took.length / 2)]!, 's')
  show('kill -9 to running again, longest', took.at(-1)!, 's')
}

async function recoverOnce(): Promise<number> {
  const doomed = await bench.start('worker', { CONCURRENCY: '200' })
  await submit('wait-at-first', 200, 200)
  await until(async () => (await client.stats()).counts.processing === 200)
  const heir = await bench.start('worker', { CONCURRENCY: '200' })
  const beganMs = performance.now()
  await doomed.kill('SIGKILL')
  await until(allStartedAgain)
  const took = seconds(beganMs)
  await untilDone()
  await heir.kill('SIGTERM')
  return took
}

async function allStartedAgain(): Promise<boolean> {
  const row = await one(`
    select count(*)::int as n from tasks
     where type = 'wait-at-first' and (status = 'pending' or attempt = 1 and status = 'processing')`)
  return row.n === 0
}

async function untilDone(): Promise<void> {
  await until(async () => {
    const { counts } = await client.stats()
    return counts.scheduled + counts.pending + counts.processing === 0
  })
  const row = await one(`select count(*)::int as n from tasks where status <> 'completed'`)
  if (row.n !== 0) throw new Error(`${row.n} tasks did not complete`)
}

async function snapshot() {
  await bench.sql.query('select pg_stat_force_next_flush()')
  const row = await one(`
    select pg_current_wal_insert_lsn() - '0/0' as wal,
           (select xact_commit from pg_stat_database where datname = current_database()) as commits,
           (select sum(n_tup_upd) from pg_stat_user_tables where relname like 'tasks%') as updates,
           (select sum(n_tup_hot_upd) from pg_stat_user_tables where relname like 'tasks%') as hot`)
  return {
    wal: Number(row.wal),
    commits: Number(row.commits),
    updates: Number(row.updates),
    hot: Number(row.hot),
  }
}

async function one(text: string): Promise<Record<string, unknown>> {
  return (await bench.sql.query(text)).rows[0]
}

function seconds(sinceMs: number): number {
  return (performance.now() - sinceMs) / 1000
}

function show(what: string, value: number, unit: string): void {
  const digits = value >= 100 ? 0 : 2
  console.log(
    `  ${what.padEnd(48)} ${value.toLocaleString('en', { maximumFractionDigits: digits }).padStart(10)} ${unit}`,
  )
}
