import type { Entry } from '../contestant.ts'
import { fill } from '../fill.ts'
import { median } from '../table.ts'
import { nowMs, ownSql, type Result, type Workload } from '../workload.ts'
import { doNothing } from './drain.ts'

const count = 200_000
const times = 5

/** So many finished tasks in the tables, and then a backlog as without them. */
export function history(size: number): Workload {
  return {
    name: `history-${nameOf(size)}`,
    about: `a backlog of ${count.toLocaleString('en')} no-op tasks, with and without ${size.toLocaleString('en')} finished ones`,
    count: size,
    isCountFixed: true,
    isOurs: true,
    isLong: true,
    run: (entry, _count, another) => compare(entry, another, { completed: size }),
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
    run: (entry, _count, another) => compare(entry, another, { pending: size }),
  }
}

const nameOf = (size: number) => (size >= 1_000_000 ? `${size / 1_000_000}M` : `${size / 1_000}k`)

/** Beside a system without, in turns, since a machine has its moods; the median of the rates and of their ratios. */
async function compare(
  entry: Entry,
  another: () => Promise<Entry>,
  more: Parameters<typeof fill>[1],
): Promise<Result> {
  const without = await another()
  await ownSql(entry, (sql) => fill(sql, more))
  const rates: number[] = []
  const ratios: number[] = []
  for (let time = 0; time < times; time++) {
    const usual = await workOff(without)
    rates.push(await workOff(entry))
    ratios.push(rates.at(-1)! / usual)
  }
  return { tasksPerSecond: median(rates), ratios: { 'of the rate without': median(ratios) } }
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
