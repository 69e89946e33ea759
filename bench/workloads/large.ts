import type { Entry } from '../contestant.ts'
import { fill } from '../fill.ts'
import { median } from '../table.ts'
import { nowMs, ownSql, type Result, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'

const count = 200_000
const times = 3

/** So many finished tasks in the tables, and then a backlog as without them. */
export function history(size: number): Workload {
  return {
    name: `history-${nameOf(size)}`,
    about: `a backlog of ${count.toLocaleString('en')} no-op tasks, with and without ${size.toLocaleString('en')} finished ones`,
    count: size,
    isCountFixed: true,
    isOurs: true,
    isLong: true,
    run: (entry) => compare(entry, { completed: size }),
  }
}

/** So many tasks that wait: how fast the first of them are worked off. */
export function backlog(size: number): Workload {
  return {
    name: `backlog-${nameOf(size)}`,
    about: `the first ${count.toLocaleString('en')} no-op tasks of a backlog, of just these and of ${size.toLocaleString('en')}`,
    count: size,
    isCountFixed: true,
    isOurs: true,
    isLong: true,
    run: (entry) => compare(entry, { pending: size }),
  }
}

const nameOf = (size: number) => (size >= 1_000_000 ? `${size / 1_000_000}M` : `${size / 1_000}k`)

async function compare(entry: Entry, more: Parameters<typeof fill>[1]): Promise<Result> {
  const without = await rate(entry)
  await ownSql(entry, (sql) => fill(sql, more))
  const tasksPerSecond = await rate(entry)
  return { tasksPerSecond, ratios: { 'of the rate without': tasksPerSecond / without } }
}

/** The median of some; in a backlog that is longer what is submitted goes to its end. */
async function rate(entry: Entry): Promise<number> {
  const all: number[] = []
  for (let time = 0; time < times; time++) all.push(await workOff(entry))
  return median(all)
}

async function workOff(entry: Entry): Promise<number> {
  await entry.submit(count, { inOne: 1_000, lanes: 4 })
  const working = await entry.work(count, doNothing)
  const fromMs = await working.firstAtMs
  await working.all
  const rate = count / ((nowMs() - fromMs) / 1000)
  await entry.stopWorkers()
  return rate
}
