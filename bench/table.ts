import type { Result } from './workload.ts'

/** All runs of one contestant at one workload. */
export type Row = { workload: string; contestant: string; results: Result[] }

/** Median, smallest, largest. */
type Spread = { median: number; least: number; most: number }

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Undefined when nothing of the kind was measured. */
export function spreadOf(row: Row, of: (result: Result) => number | undefined): Spread | undefined {
  const all = row.results.flatMap((result) => of(result) ?? [])
  if (all.length === 0) return undefined
  return { median: median(all), least: Math.min(...all), most: Math.max(...all) }
}

export const rateOf = (row: Row) => spreadOf(row, ({ tasksPerSecond }) => tasksPerSecond)

/** Rates, how the first compares with each, latencies, and what a task costs; only what was measured. */
export function tableOf(rows: readonly Row[]): string {
  const columns: [title: string, cell: (row: Row) => string][] = [
    ['tasks/s', (row) => whole(rateOf(row)?.median)],
    ['range', (row) => rangeOf(rateOf(row))],
    [rows[0]?.contestant ?? '', (row) => ratio(rateOf(rows[0]!)?.median, rateOf(row)?.median)],
    ...namesOf(resultsOf(rows), ({ ratios }) => ratios).map((name): [string, (row: Row) => string] => [
      name,
      (row) => percent(spreadOf(row, ({ ratios }) => ratios?.[name])?.median),
    ]),
    ...(hasManyLatencies(rows) ? [] : latencyNames(rows)).map((name): [string, (row: Row) => string] => [
      `${name}: ms p50/p95/p99`,
      (row) => latencyOf(row, name),
    ]),
    ...partsOf(rows).map((part): [string, (row: Row) => string] => [
      `${part} µs`,
      (row) => whole(spreadOf(row, ({ cpuMicros }) => cpuMicros?.[part])?.median),
    ]),
    ['WAL B', (row) => whole(spreadOf(row, ({ perTask }) => perTask?.walBytes)?.median)],
    ['commits', (row) => spreadOf(row, ({ perTask }) => perTask?.commits)?.median.toFixed(3) ?? ''],
    ['messages', (row) => spreadOf(row, ({ perTask }) => perTask?.messages)?.median.toFixed(3) ?? ''],
    ['heap-only', (row) => percent(spreadOf(row, ({ perTask }) => perTask?.heapOnlyShare)?.median)],
    ['memory B', (row) => whole(spreadOf(row, ({ memoryBytesPerTask }) => memoryBytesPerTask)?.median)],
  ]
  const used = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ''))
  const table = aligned([
    ['', ...used.map(([title]) => title)],
    ...rows.map((row) => [row.contestant, ...used.map(([, cell]) => cell(row))]),
  ])
  return hasManyLatencies(rows) ? latencyTable(rows) : table
}

const hasManyLatencies = (rows: readonly Row[]) => latencyNames(rows).length > mostLatencyColumns
const mostLatencyColumns = 3

/** Where so many things were timed that they would not fit beside each other. */
function latencyTable(rows: readonly Row[]): string {
  return aligned([
    ['ms p50/p95/p99', ...rows.map(({ contestant }) => contestant)],
    ...latencyNames(rows).map((name) => [name, ...rows.map((row) => latencyOf(row, name))]),
  ])
}

const namesOf = (results: readonly Result[], of: (result: Result) => object | undefined) => [
  ...new Set(results.flatMap((result) => Object.keys(of(result) ?? {}))),
]
const resultsOf = (rows: readonly Row[]) => rows.flatMap(({ results }) => results)
const latencyNames = (rows: readonly Row[]) => namesOf(resultsOf(rows), ({ latencies }) => latencies)
const partsOf = (rows: readonly Row[]) => namesOf(resultsOf(rows), ({ cpuMicros }) => cpuMicros)

function latencyOf(row: Row, name: string): string {
  const at = (percentile: 'p50' | 'p95' | 'p99') =>
    spreadOf(row, ({ latencies }) => latencies?.[name]?.[percentile])?.median
  const all = [at('p50'), at('p95'), at('p99')]
  return all.includes(undefined) ? '' : all.map((ms) => short(ms!)).join('/')
}

const short = (ms: number) => (ms < 10 ? ms.toFixed(1) : whole(ms))
const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)} %`)
const ratio = (a: number | undefined, b: number | undefined) => (a && b ? `${(a / b).toFixed(2)} ×` : '')
const rangeOf = (spread: Spread | undefined) => (spread ? `${whole(spread.least)}–${whole(spread.most)}` : '')

export function whole(value: number | undefined): string {
  return value === undefined ? '' : Math.round(value).toLocaleString('en')
}

export function aligned(lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const pad = (cell: string, at: number) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!))
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}
