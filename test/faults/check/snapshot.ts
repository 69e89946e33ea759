/** What the database says when everything has ended. Instants are milliseconds of the machine's clock. */
export type Snapshot = {
  tasks: TaskRow[]
  /** The attempts that are remembered as failed. */
  failedAttempts: { id: string; attempt: number; at: number }[]
  packets: { id: string; heldBy: string | null }[]
  /** The counts that are kept. */
  kept: Count[]
  /** Tasks that are listed as failed or canceled. */
  stopped: { id: string; status: string }[]
  keys: { key: string; id: string }[]
  batches: BatchRow[]
}

export type TaskRow = {
  id: string
  type: string
  queue: string
  status: string
  attempt: number
  failures: number
  crashes: number
  maxAttempts: number | null
  finishedAt: number | null
  key: string | null
  /** The client's own mark of this task, from its payload. */
  mark: string | null
  hasResult: boolean
  /** Which attempt the stored result is from, as its handler wrote into it. */
  resultAttempt: number | null
  errorName: string | null
  errorAttempt: number | null
}

/** `real` is what counting its tasks says and `kept` what its counters say, such as `completed 2, failed 1`. */
export type BatchRow = {
  id: string
  real: string
  kept: string
  isFinished: boolean
  hasThen: boolean
  /** How many tasks came of its `then`. */
  thens: number
}

export type Count = { queue: string; type: string; status: string; n: number }

type Query = <Row extends Record<string, unknown>>(statement: string) => Promise<Row[]>

/** Whether nothing is left to do: every task is final and no packet is left. */
export async function isQuiet(query: Query): Promise<boolean> {
  const [answer] = await query<{ busy: boolean }>(`
    select exists (select from millrace.packets)
        or exists (select from millrace.tasks where status in ('scheduled', 'pending', 'processing'))
        or exists (select from millrace.batches where finished_at is null)
        or exists (select from millrace.callbacks where told_at is null)
        or exists (select from millrace.batch_callbacks where told_at is null) as busy`)
  return answer?.busy === false
}

export async function takeSnapshot(query: Query): Promise<Snapshot> {
  return {
    tasks: await query<TaskRow>(tasks),
    failedAttempts: await query(`
      select task_id as id, attempt, ${milliseconds('finished_at')} as at from millrace.attempts order by task_id, attempt`),
    packets: await query('select id::text, worker_id as "heldBy" from millrace.packets'),
    kept: await query(`
      select queue, type, status, sum(n)::int as n from millrace.counters group by queue, type, status having sum(n) <> 0`),
    stopped: await query('select task_id as id, status from millrace.stopped'),
    keys: await query('select key, task_id as id from millrace.idempotency_keys'),
    batches: await query<BatchRow>(batches),
  }
}

const tasks = `
  select id, type, queue, status, attempt, failures, crashes, max_attempts as "maxAttempts",
         ${milliseconds('finished_at')} as "finishedAt", idempotency_key as key,
         payload ->> 'mark' as mark, result is not null as "hasResult",
         (result ->> 'attempt')::int as "resultAttempt", error ->> 'name' as "errorName",
         (error ->> 'attempt')::int as "errorAttempt"
    from millrace.tasks`

const batches = `
  with real as (
    select batch_id, string_agg(status || ' ' || n, ', ' order by status) as counts
      from (select batch_id, status, count(*) as n from millrace.tasks group by batch_id, status) as t group by batch_id
  ), kept as (
    select batch_id, string_agg(status || ' ' || n, ', ' order by status) as counts
      from (select batch_id, status, sum(n) as n from millrace.batch_counters
             group by batch_id, status having sum(n) <> 0) as c group by batch_id
  ), thens as (
    select payload ->> 'batchId' as batch_id, count(*)::int as n from millrace.tasks group by payload ->> 'batchId'
  )
  select b.id, coalesce(r.counts, '') as real, coalesce(k.counts, '') as kept, b.finished_at is not null as "isFinished",
         s.batch_id is not null as "hasThen", coalesce(t.n, 0) as thens
    from millrace.batches as b
    left join real as r on r.batch_id = b.id
    left join kept as k on k.batch_id = b.id
    left join millrace.batch_sequels as s on s.batch_id = b.id
    left join thens as t on t.batch_id = b.id::text`

function milliseconds(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`
}
