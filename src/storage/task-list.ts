import { lowestIdAt } from '../domain/id.ts'
import type { TaskFilter, TaskPage } from '../domain/ports.ts'
import type { JsonText, Status, TaskSummary } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import type { Database, Statement } from './connection.ts'
import { type TaskRow, taskColumns, toTask } from './rows.ts'

/** How long a search may go on before it answers with what it has and says how far it came. */
const searchLimitMs = 1_000
const smallestStep = 200
const largestStep = 20_000
/** With no more waiting tasks than this, they are found through their packets; with more, they are most of the key. */
const fewPending = 20_000

const nextByKey = {
  name: 'tasks.next-by-key',
  text: 'select id from tasks where id < $1 and id >= $2 order by id desc limit $3',
}

// What is not completed is found through the small tables, whatever the size of the large one. A task may be in
// several packets; without `distinct` a step that is full would look like the last one.
const nextUnfinished = {
  name: 'tasks.next-by-status',
  text: `
  with candidate as (
    (select task_id from stopped where status = 'failed' and 'failed' = any ($4)
        and task_id < $1 and task_id >= $2 order by task_id desc limit $3)
    union all
    (select task_id from stopped where status = 'canceled' and 'canceled' = any ($4)
        and task_id < $1 and task_id >= $2 order by task_id desc limit $3)
    union all
    (select task_id from schedule where 'scheduled' = any ($4)
        and task_id < $1 and task_id >= $2 order by task_id desc limit $3)
    union all
    (select task_id from parked where 'pending' = any ($4)
        and task_id < $1 and task_id >= $2 order by task_id desc limit $3)
    union all
    (select distinct task_id
       from packets as p cross join lateral unnest(p.task_ids) as u (task_id)
      where (p.worker_id is not null and ('processing' = any ($4) or 'pending' = any ($4))
             or p.worker_id is null and 'pending' = any ($4))
        and task_id < $1 and task_id >= $2 order by task_id desc limit $3)
  )
  select distinct task_id from candidate order by task_id desc limit $3`,
}

const readMatching = {
  name: 'tasks.read-matching',
  text: `
  select ${taskColumns}, case when $6 then t.payload end, case when $7 then t.result end
    from unnest($1::uuid[]) as i (id)
    join tasks as t on t.id = i.id
   where ($2::task_status[] is null or t.status = any ($2::task_status[]))
     and ($3::text is null or t.type = $3)
     and ($4::text is null or t.queue = $4)
     and ($5::uuid is null or t.batch_id = $5)
     and ($8::timestamptz is null or t.created_at >= $8)
     and ($9::timestamptz is null or t.created_at < $9)
   order by t.id desc`,
}

const readBatchRange = { name: 'batches.range', text: 'select first_id, last_id from batches where id = $1' }
const readPending = {
  name: 'counters.pending',
  text: `select coalesce(sum(n), 0)::bigint from counters where status = 'pending'`,
}

type Range = { before: string; after: string }

/** A page of tasks, newest first, by walking the key or the small tables in steps that grow. */
export async function listTasks(database: Database, filter: TaskFilter): Promise<TaskPage> {
  const range = await rangeOf(database, filter)
  if (!range) return { tasks: [], next: null, searchedTo: null }
  const step = await stepOf(database, filter)
  const tasks: TaskSummary[] = []
  const deadline = performance.now() + searchLimitMs
  let { before } = range
  for (let size = Math.max(smallestStep, filter.limit + 1); ; size = Math.min(largestStep, size * 4)) {
    const ids = (
      await database.run<[string]>(step, stepValues(step, filter, { before, after: range.after, size }))
    ).map(([id]) => id)
    tasks.push(...(await matching(database, filter, ids)))
    if (tasks.length > filter.limit) return page(tasks.slice(0, filter.limit), null)
    if (ids.length < size) return { tasks, next: null, searchedTo: null }
    before = ids.at(-1)!
    if (performance.now() > deadline) return { tasks, next: before, searchedTo: before }
  }
}

function page(tasks: TaskSummary[], searchedTo: string | null): TaskPage {
  return { tasks, next: tasks.at(-1)?.id ?? null, searchedTo }
}

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
const firstId = '00000000-0000-0000-0000-000000000000'
/** An id is made before its row, by a clock that may differ a little: the range of the key is that much wider. */
const clockSlackMs = 300_000

async function rangeOf({ run }: Database, filter: TaskFilter): Promise<Range | undefined> {
  const lows = [firstId]
  const highs = [lastId]
  if (filter.before) highs.push(filter.before)
  if (filter.createdAfter) lows.push(lowestIdAt(Date.parse(filter.createdAfter) - clockSlackMs))
  if (filter.createdBefore) highs.push(lowestIdAt(Date.parse(filter.createdBefore) + clockSlackMs))
  if (filter.batchId) {
    const [batch] = await run<[first: string, last: string]>(readBatchRange, [filter.batchId])
    if (!batch) return undefined
    lows.push(batch[0])
    highs.push(successor(batch[1]))
  }
  return { after: lows.sort().at(-1)!, before: highs.sort()[0]! }
}

/** The next id after this one: ranges end before their upper bound. */
function successor(id: string): string {
  const next = (BigInt(`0x${id.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0')
  return next.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function stepOf({ run }: Database, { status, batchId }: TaskFilter): Promise<Statement> {
  if (!status || status.includes('completed') || batchId) return nextByKey
  if (!status.includes('pending')) return nextUnfinished
  const [pending] = await run<[number]>(readPending)
  return pending![0] <= fewPending ? nextUnfinished : nextByKey
}

function stepValues(
  step: Statement,
  { status }: TaskFilter,
  { before, after, size }: Range & { size: number },
) {
  const values: unknown[] = [before, after, size]
  return step === nextUnfinished ? [...values, status as readonly Status[]] : values
}

type SummaryRow = [...TaskRow, payload: JsonText | null, result: JsonText | null]

async function matching(
  { run }: Database,
  filter: TaskFilter,
  ids: readonly string[],
): Promise<TaskSummary[]> {
  if (ids.length === 0) return []
  const { payload, result } = filter.include
  const rows = await run<SummaryRow>(readMatching, [
    uuids(ids),
    filter.status ?? null,
    filter.type ?? null,
    filter.queue ?? null,
    filter.batchId ?? null,
    payload,
    result,
    filter.createdAfter ?? null,
    filter.createdBefore ?? null,
  ])
  return rows.map((row) => {
    const [payloadText, resultText] = row.slice(-2) as [JsonText | null, JsonText | null]
    return {
      ...toTask(row.slice(0, -2) as TaskRow),
      ...(payload ? { payload: payloadText ?? 'null' } : {}),
      ...(result ? { result: resultText } : {}),
    }
  })
}
