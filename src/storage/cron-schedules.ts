import type { Schedule, ScheduleDefinition, ScheduleStore, Tick } from '../domain/schedule.ts'
import type { JsonText } from '../domain/task.ts'
import { texts, uuids } from './arrays.ts'
import { readNowMs } from './clock.ts'
import type { Database, Run } from './connection.ts'
import { storeKeyed } from './keyed-tasks.ts'

/** What is submitted again and again. Tasks that are due later are another table's, `schedule`. */
export function scheduleStore(database: Database): ScheduleStore {
  const { run } = database
  const one = async (statement: { name: string; text: string }, values: readonly unknown[]) => {
    const [row] = await run<ScheduleRow>(statement, values)
    return row && toSchedule(row)
  }
  return {
    nowMs: () => readNowMs(run),
    put: (definition, nextAtMs) => put(run, definition, nextAtMs),
    get: (name) => one(readOne, [name]),
    list: async ({ limit, after = '' }) => (await run<ScheduleRow>(readPage, [after, limit])).map(toSchedule),
    remove: (name) => one(removeOne, [name]),
    pause: (name) => one(pauseOne, [name]),
    resume: (name, nextAtMs) => database.transaction((run) => resume(run, name, nextAtMs)),
    noteRun: async (name, taskId) => void (await run(noteRun, [name, taskId])),
    nextInMs: async () => (await run<[number]>(readNext))[0]?.[0] ?? null,
    tick: (limit, plan, loadOf) => database.transaction((run) => tick(run, limit, { plan, loadOf })),
  }
}

const columns = `
  s.name, s.cron, s.time_zone, s.catch_up, s.submission, s.payload, s.next_at, s.paused_at is not null,
  s.last_at, s.last_task_id, s.created_at, s.updated_at`

type ScheduleRow = [
  name: string,
  cron: string,
  timeZone: string,
  catchUp: Schedule['catchUp'],
  submission: JsonText,
  payload: JsonText,
  nextAt: Date,
  paused: boolean,
  lastAt: Date | null,
  lastTaskId: string | null,
  createdAt: Date,
  updatedAt: Date,
]

function toSchedule(row: ScheduleRow): Schedule {
  const [name, cron, timeZone, catchUp, submission, payload, nextAt, paused] = row
  const [, , , , , , , , lastAt, lastTaskId, createdAt, updatedAt] = row
  return {
    name,
    cron,
    timeZone,
    catchUp,
    task: { ...JSON.parse(submission), payload },
    paused,
    nextAt: nextAt.toISOString(),
    lastRunAt: lastAt?.toISOString() ?? null,
    lastTaskId,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  }
}

// With the rule that it had, a schedule stands where it stood: a time that is due stays due when a deployment puts all
// of its schedules again.
const putOne = {
  name: 'cron-schedules.put',
  text: `
  insert into cron_schedules as s (name, cron, time_zone, catch_up, submission, payload, next_at)
  values ($1, $2, $3, $4, $5::json, $6::json, $7::timestamptz)
      on conflict (name) do update
     set cron = excluded.cron, time_zone = excluded.time_zone, catch_up = excluded.catch_up,
         submission = excluded.submission, payload = excluded.payload, updated_at = now(),
         next_at = case when (s.cron, s.time_zone) = (excluded.cron, excluded.time_zone) then s.next_at
                        else excluded.next_at end
  returning ${columns}, xmax = 0`,
}

async function put(run: Run, { name, cron, timeZone, catchUp, task }: ScheduleDefinition, nextAtMs: number) {
  const { payload, ...submission } = task
  const nextAt = new Date(nextAtMs).toISOString()
  const values = [name, cron, timeZone, catchUp, JSON.stringify(submission), payload, nextAt]
  const [row] = await run<[...ScheduleRow, created: boolean]>(putOne, values)
  const created = row!.at(-1) as boolean
  return { schedule: toSchedule(row!.slice(0, -1) as ScheduleRow), created }
}

const readOne = {
  name: 'cron-schedules.read',
  text: `select ${columns} from cron_schedules as s where s.name = $1`,
}

const readPage = {
  name: 'cron-schedules.list',
  text: `select ${columns} from cron_schedules as s where s.name > $1 order by s.name limit $2`,
}

const removeOne = {
  name: 'cron-schedules.remove',
  text: `delete from cron_schedules as s where s.name = $1 returning ${columns}`,
}

const pauseOne = {
  name: 'cron-schedules.pause',
  text: `
  update cron_schedules as s
     set paused_at = coalesce(s.paused_at, now())
   where s.name = $1
  returning ${columns}`,
}

const lockOne = {
  name: 'cron-schedules.lock',
  text: `
  select ${columns}, extract(epoch from now())::float8 * 1000
    from cron_schedules as s
   where s.name = $1
     for update`,
}

const resumeOne = {
  name: 'cron-schedules.resume',
  text: `
  update cron_schedules as s
     set paused_at = null, next_at = $2::timestamptz
   where s.name = $1
     and s.paused_at is not null
  returning ${columns}`,
}

async function resume(run: Run, name: string, nextAtMs: Parameters<ScheduleStore['resume']>[1]) {
  const [locked] = await run<[...ScheduleRow, nowMs: number]>(lockOne, [name])
  if (!locked) return undefined
  const schedule = toSchedule(locked.slice(0, -1) as ScheduleRow)
  if (!schedule.paused) return schedule
  const nextAt = new Date(nextAtMs(schedule, locked.at(-1) as number)).toISOString()
  const [row] = await run<ScheduleRow>(resumeOne, [name, nextAt])
  return toSchedule(row!)
}

const noteRun = {
  name: 'cron-schedules.note-run',
  text: 'update cron_schedules set last_at = now(), last_task_id = $2 where name = $1',
}

const readNext = {
  name: 'cron-schedules.next',
  text: `
  select extract(epoch from next_at - now())::float8 * 1000
    from cron_schedules
   where paused_at is null
   order by next_at
   limit 1`,
}

// A row that another process has in hand is passed by; that one moves it on.
const lockDue = {
  name: 'cron-schedules.due',
  text: `
  select ${columns}, extract(epoch from now())::float8 * 1000
    from cron_schedules as s
   where s.paused_at is null
     and s.next_at <= now()
   order by s.next_at
   limit $1
     for update skip locked`,
}

const moveOn = {
  name: 'cron-schedules.move-on',
  text: `
  update cron_schedules as s
     set next_at = m.next_at,
         last_at = case when m.task_id is null then s.last_at else now() end,
         last_task_id = coalesce(m.task_id, s.last_task_id)
    from unnest($1::text[], $2::timestamptz[], $3::uuid[]) as m (name, next_at, task_id)
   where s.name = m.name`,
}

type Plans = { plan: Parameters<ScheduleStore['tick']>[1]; loadOf: Parameters<ScheduleStore['tick']>[2] }

async function tick(run: Run, limit: number, { plan, loadOf }: Plans) {
  const rows = await run<[...ScheduleRow, nowMs: number]>(lockDue, [limit])
  const ticks = rows.flatMap((row) => {
    const schedule = toSchedule(row.slice(0, -1) as ScheduleRow)
    const nextAtMs = Date.parse(schedule.nextAt)
    return plan({ ...schedule, nextAtMs }, row.at(-1) as number) ?? []
  })
  if (ticks.length === 0) return { ticks: 0, packets: [] }
  const tasks = ticks.flatMap((tick) => tick.tasks)
  const { keyed, packets } = await storeKeyed(run, tasks, { allOrNothing: false, loadOf })
  const idOf = new Map(tasks.map((task, i) => [task.id, keyed[i]!.id]))
  await run(moveOn, moveColumns(ticks, idOf))
  return { ticks: ticks.length, packets }
}

function moveColumns(ticks: readonly Tick[], idOf: ReadonlyMap<string, string>): unknown[] {
  const latest = ticks.map(({ tasks }) => tasks.at(-1)?.id)
  return [
    texts(ticks.map((tick) => tick.name)),
    ticks.map((tick) => new Date(tick.nextAtMs).toISOString()),
    uuids(latest.map((id) => (id === undefined ? null : idOf.get(id)!))),
  ]
}
