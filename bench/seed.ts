import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import pg from 'pg'
import { startEmbedded } from '../src/embedded/index.ts'
import { migrate } from '../src/main/migrate.ts'
import { type Database, openDatabase } from '../src/storage/connection.ts'
import { failureGroups } from '../src/storage/failure-groups.ts'
import {
  createPartition,
  listPartitions,
  missingPartitions,
  partitionWidthMs,
} from '../src/storage/partitions.ts'
import { finalTasks } from './seed/final-tasks.ts'
import { errorsOf, kinds } from './seed/kinds.ts'
import { busyAt, type Slice, slicesOf } from './seed/slices.ts'
import { waitingTasks } from './seed/waiting-tasks.ts'

/*
 * A system that has worked for days, in minutes: `npm run seed -- --tasks 10000000`.
 */
type Options = { tasks: string; days: string; pending: string; scheduled: string }

const retentionDays = 30
const shareInBatches = 0.3

const program: Command = new Command('seed')
  .description(
    'Fills the database at DATABASE_URL, or the embedded one in DATA_DIR, with tasks of the last days, as real ones would have left them: types, times, outcomes, errors in groups, batches, charts.',
  )
  .option('--tasks <number>', 'so many that have ended', '10000000')
  .option('--days <number>', 'over so many days', '7')
  .option('--pending <number>', 'so many that wait', '20000')
  .option('--scheduled <number>', 'so many that are due later', '5000')
await program.parseAsync()
const options = program.opts<Options>()
const server = process.env.DATABASE_URL
  ? undefined
  : await startEmbedded({ dataDir: process.env.DATA_DIR ?? '.millrace' })
const url = process.env.DATABASE_URL ?? server!.url
try {
  await seed(url)
} finally {
  await server?.stop()
}

async function seed(url: string): Promise<void> {
  const beganMs = performance.now()
  await migrate(url, { retentionDays })
  const lanes = Math.min(4, availableParallelism())
  const database = openDatabase(unhurried(url), {
    connections: lanes,
    statementTimeoutMs: 600_000,
    plans: 'looks',
  })
  const nowMs = Date.now()
  const slices = slicesOf(Number(options.tasks), { days: Number(options.days), nowMs })
  await makePartitions(database, { fromMs: slices[0]!.fromMs, nowMs })
  const work = slices[Symbol.iterator]()
  const progress = progressOf(slices, beganMs)
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const slice of work) {
        if (slice.tasks > 0) await fillSlice(database, slice)
        progress(slice)
      }
    }),
  )
  for (const status of ['pending', 'scheduled'] as const)
    await database.run(waitingTasks, [status, Number(options[status]), JSON.stringify(weighted())])
  const groups = failureGroups(database)
  while (await groups.fold()) console.error('grouping failures')
  await database.close()
  await settle(url)
  console.error(`done in ${Math.round((performance.now() - beganMs) / 1000)} s`)
}

/** What is made up may be lost in a crash. */
function unhurried(url: string): string {
  const address = new URL(url)
  const given = address.searchParams.get('options')
  address.searchParams.set(
    'options',
    `${given === null ? '' : `${given} `}-c synchronous_commit=off -c work_mem=64MB`,
  )
  return address.href
}

async function makePartitions(
  database: Database,
  { fromMs, nowMs }: { fromMs: number; nowMs: number },
): Promise<void> {
  const widthMs = partitionWidthMs(retentionDays)
  for (let atMs = fromMs; atMs < nowMs; atMs += widthMs)
    for (const partition of missingPartitions(await listPartitions(database.run), atMs, widthMs))
      await database.transaction((run) => createPartition(run, partition))
}

async function fillSlice(database: Database, { fromMs, toMs, tasks, isByMinute }: Slice): Promise<void> {
  const waitMs = 25 * busyAt(fromMs) ** 4
  const batchSize = tasks * shareInBatches < 1000 ? 100 : 1000
  const inBatches = Math.floor((tasks * shareInBatches) / batchSize) * batchSize
  const span = [fromMs, toMs].map((ms) => new Date(ms).toISOString())
  const pending = Math.round((tasks / (toMs - fromMs)) * waitMs)
  const about = [waitMs, isByMinute, pending, batchSize]
  await database.run(finalTasks, [...span, tasks, JSON.stringify(weighted()), inBatches, ...about])
}

function weighted() {
  let low = 0
  return kinds.map((kind, n) => {
    const { type, queue, share, runMs, failShare, payload, result } = kind
    const high = n === kinds.length - 1 ? 1 : low + share
    const errors = errorsOf(kind)
    const row = { type, queue, low, high, run_ms: runMs, fail_share: failShare, payload, result, errors }
    low = high
    return row
  })
}

function progressOf(slices: readonly Slice[], beganMs: number): (slice: Slice) => void {
  const whole = slices.reduce((sum, { tasks }) => sum + tasks, 0)
  let [done, told] = [0, 0]
  return ({ tasks }) => {
    done += tasks
    if (done - told < whole / 20) return
    told = done
    const seconds = (performance.now() - beganMs) / 1000
    console.error(
      `${done.toLocaleString('en-US')} tasks, ${Math.round(done / seconds).toLocaleString('en-US')}/s`,
    )
  }
}

/** As autovacuum would have left it. */
async function settle(url: string): Promise<void> {
  const sql = new pg.Client({ connectionString: url, options: '-c search_path=millrace' })
  await sql.connect()
  await sql.query('vacuum (analyze)')
  await sql.query('checkpoint')
  await sql.end()
}
