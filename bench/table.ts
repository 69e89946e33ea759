import type { Result } from './workload.ts'

/** All runs of one contestant at one workload. */
export type Row = { workload: string; contestant: string; results: Result[] }

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function rateOf({ results }: Row): number {
  return median(results.map(({ tasksPerSecond }) => tasksPerSecond))
}

/** Median and range of each, how it compares with the first, and what a task costs. */
export function tableOf(rows: readonly Row[]): string {
  const first = rows[0]
  const lines = rows.map((row) => {
    const rates = row.results.map(({ tasksPerSecond }) => tasksPerSecond)
    const ratio = first && rateOf(first) / rateOf(row)
    return [
      row.contestant,
      whole(rateOf(row)),
      `${whole(Math.min(...rates))}–${whole(Math.max(...rates))}`,
      ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
      costOf(row),
    ]
  })
  return aligned([['', 'tasks/s', 'range', first?.contestant ?? '', 'µs of CPU and bytes a task'], ...lines])
}

function costOf({ results }: Row): string {
  const parts = Object.keys(results[0]?.cpuMicros ?? {})
  const cpu = parts.map(
    (part) => `${part} ${whole(median(results.map(({ cpuMicros }) => cpuMicros[part] ?? 0)))}`,
  )
  const wal = results.flatMap(({ walBytesPerTask }) => walBytesPerTask ?? [])
  const memory = results.flatMap(({ memoryBytesPerTask }) => memoryBytesPerTask ?? [])
  const bytes = [
    ...(wal.length > 0 ? [`WAL ${whole(median(wal))}`] : []),
    ...(memory.length > 0 ? [`memory ${whole(median(memory))}`] : []),
  ]
  return [...cpu, ...bytes].join(', ')
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function aligned(lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const last = widths.length - 1
  return lines
    .map((line) =>
      line
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[0]!) : at === last ? cell : cell.padStart(widths[at]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
