import type pg from 'pg'
import { packetLimit } from '../src/domain/packet.ts'
import type { Status } from '../src/domain/task.ts'
import { rankOf } from '../src/storage/rows.ts'
import { doNothing } from './workloads/drain.ts'

const atOnce = 100_000
const packetSize = packetLimit(doNothing.concurrency)
const payload = JSON.stringify('x'.repeat(98))

/** Tasks of each status, well mixed, straight into the tables of Millrace: a minute and a half for ten million. */
export async function fill(
  sql: pg.Client,
  counts: Partial<Record<Status, number>>,
  { ageDays = 0 } = {},
): Promise<void> {
  const wanted = Object.entries(counts) as [Status, number][]
  const rounds = Math.ceil(wanted.reduce((sum, [, count]) => sum + count, 0) / atOnce)
  for (let round = 0; round < rounds; round++)
    for (const [status, count] of wanted)
      await sql.query(insertOf(status), [status, share(count, round, rounds), ageDays, payload])
  await sql.query('vacuum (analyze) tasks')
  await sql.query('checkpoint')
}

/** The shares of all rounds add up to the whole. */
function share(count: number, round: number, rounds: number): number {
  return Math.floor((count * (round + 1)) / rounds) - Math.floor((count * round) / rounds)
}

function insertOf(status: Status): string {
  const isFinal = ['completed', 'failed', 'canceled'].includes(status)
  const hasBegun = isFinal || status === 'processing'
  return `
    with made as (
      insert into tasks (id, created_at, started_at, finished_at, run_at, status, attempt, priority, type, queue,
                         payload, result)
      select uuidv7(make_interval(days => -$3::int)),
             now() - make_interval(days => $3::int),
             ${hasBegun ? 'now() - make_interval(days => $3::int)' : 'null'},
             ${isFinal ? 'now() - make_interval(days => $3::int)' : 'null'},
             ${status === 'scheduled' ? `now() + interval '1 year'` : 'null'},
             $1::task_status, ${hasBegun ? 1 : 0}, ${rankOf('normal')}, 'noop', 'default', $4::json,
             ${status === 'completed' ? `'null'` : 'null'}
        from generate_series(1, $2::int)
      returning id, run_at
    ), beside as (
      ${besideOf(status)}
    )
    insert into counters as c (slot, queue, type, status, n)
    values (pg_backend_pid(), 'default', 'noop', $1::task_status, $2::int)
        on conflict (slot, queue, type, status) do update set n = c.n + excluded.n`
}

/** Where tasks of a status are to be found. */
function besideOf(status: Status): string {
  if (status === 'failed' || status === 'canceled')
    return 'insert into stopped (status, task_id) select $1::task_status, id from made'
  if (status === 'scheduled') return 'insert into schedule (task_id, run_at) select id, run_at from made'
  if (status === 'pending')
    return `
      insert into packets (queue, priority, task_ids)
      select 'default', ${rankOf('normal')}, array_agg(id order by id)
        from (select id, row_number() over (order by id) as n from made) as numbered
       group by n / ${packetSize}
       order by n / ${packetSize}`
  return 'select'
}
