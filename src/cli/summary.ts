import type { TaskSummary } from '../client/index.ts'
import { factsOf } from './table.ts'
import { grouped } from './words.ts'

/** What a person wants to know of a batch that is done. All instants are the database's. */
export function summaryLines(tasks: readonly TaskSummary[]): string[] {
  const waitedMs = tasks.map(({ createdAt, startedAt }) => between(createdAt, startedAt))
  const ranMs = tasks.map(({ startedAt, finishedAt }) => between(startedAt, finishedAt))
  const firstMs = Math.min(...tasks.map(({ createdAt }) => Date.parse(createdAt)))
  const lastMs = Math.max(...tasks.map(({ finishedAt }) => Date.parse(finishedAt ?? '')))
  const tookSeconds = Math.max(1, lastMs - firstMs) / 1000
  return factsOf([
    ['tasks', countsOf(tasks)],
    ['took', `${tookSeconds.toFixed(1)} s from the first submission to the last result`],
    ['throughput', `${grouped(tasks.length / tookSeconds)} tasks/s`],
    ['waiting', percentilesOf(waitedMs)],
    ['running', percentilesOf(ranMs)],
  ])
}

function between(from: string | null, to: string | null): number {
  return Math.max(0, Date.parse(to ?? '') - Date.parse(from ?? ''))
}

function countsOf(tasks: readonly TaskSummary[]): string {
  const byStatus = Object.entries(Object.groupBy(tasks, ({ status }) => status))
  return byStatus.map(([status, some]) => `${grouped(some.length)} ${status}`).join(', ')
}

export function percentilesOf(ms: readonly number[]): string {
  const known = ms.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  if (known.length === 0) return 'none'
  return [50, 95, 99].map((percent) => `p${percent} ${inSeconds(nearestRank(known, percent))}`).join('   ')
}

/** The smallest value that `percent` of the values do not exceed. */
export function nearestRank(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 1_000 ? 3 : 2)} s`
}
