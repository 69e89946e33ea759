import type { TaskFilter, TaskPage } from '../domain/ports.ts'
import type { JsonText, TaskSummary } from '../domain/task.ts'
import { uuids } from './arrays.ts'
import type { Database } from './connection.ts'
import { type TaskRow, taskColumns, toTask } from './rows.ts'
import { fits, idAfter, idBefore, openSearch, type Search, scopeValues, withInstants } from './task-search.ts'

/** How long a search may go on before it answers with what it has and says how far it came. */
const searchLimitMs = 200
const smallestStep = 200
const largestStep = 20_000
/** Steps grow as long as they are quicker than this, so that the last one is not much over the limit. */
const quickStepMs = 25

const readRows = {
  name: 'tasks.read-rows',
  text: `
  select ${taskColumns}, case when $2 then t.payload end, case when $3 then t.result end
    from tasks as t
   where t.id = any ($1::uuid[])
     and ${fits(4)}
   order by t.id desc`,
}

/** A page of tasks, newest first, by walking the key or the small tables in steps that grow. */
export async function listTasks(database: Database, asked: TaskFilter): Promise<TaskPage> {
  const filter = { ...asked, ...(await withInstants(database.run, asked)) }
  if (filter.ids) filter.limit = filter.ids.length
  const isUpward = filter.after !== undefined
  const search = await openSearch(database.run, filter, isUpward ? 'asc' : 'desc')
  if (!search) return { tasks: [], next: null, prev: null, searchedTo: null }
  const found = await find(search, filter)
  const page = isUpward ? pageUpward(filter.after!, found) : pageDownward(filter.before, found)
  return { ...page, tasks: await rows(database, filter, found.ids) }
}

type Result = { ids: string[]; isMore: boolean; searchedTo: string | null }

async function find(search: Search, { limit, before, after }: TaskFilter): Promise<Result> {
  const range = {
    before: lower(before, search.range.before),
    from: after === undefined ? search.range.from : higher(idAfter(after), search.range.from),
  }
  const ids: string[] = []
  const startedAt = performance.now()
  for (let look = Math.max(smallestStep, limit + 1); ; ) {
    const stepAt = performance.now()
    const step = await search.step(range, { look, find: limit + 1 - ids.length })
    ids.push(...step.ids)
    if (ids.length > limit) return { ids: ids.slice(0, limit), isMore: true, searchedTo: null }
    if (step.last === null) return { ids, isMore: false, searchedTo: null }
    if (after === undefined) range.before = step.last
    else range.from = idAfter(step.last)
    const now = performance.now()
    if (now - startedAt > searchLimitMs) return { ids, isMore: true, searchedTo: step.last }
    if (now - stepAt < quickStepMs) look = Math.min(largestStep, look * 4)
  }
}

const lower = (a: string | undefined, b: string) => (a === undefined || a > b ? b : a)
const higher = (a: string, b: string) => (a > b ? a : b)

function pageDownward(before: string | undefined, { ids, isMore, searchedTo }: Result) {
  const upward = before === undefined ? null : (ids[0] ?? idBefore(before))
  return { next: isMore ? (searchedTo ?? ids.at(-1)!) : null, prev: upward, searchedTo }
}

function pageUpward(after: string, { ids, isMore, searchedTo }: Result) {
  return { next: ids[0] ?? idAfter(after), prev: isMore ? (searchedTo ?? ids.at(-1)!) : null, searchedTo }
}

type SummaryRow = [...TaskRow, payload: JsonText | null, result: JsonText | null]

async function rows({ run }: Database, filter: TaskFilter, ids: readonly string[]): Promise<TaskSummary[]> {
  if (ids.length === 0) return []
  const { payload, result } = filter.include
  const found = await run<SummaryRow>(readRows, [uuids(ids), payload, result, ...scopeValues(filter)])
  return found.map((row) => {
    const [payloadText, resultText] = row.slice(-2) as [JsonText | null, JsonText | null]
    return {
      ...toTask(row.slice(0, -2) as TaskRow),
      ...(payload ? { payload: payloadText ?? 'null' } : {}),
      ...(result ? { result: resultText } : {}),
    }
  })
}
