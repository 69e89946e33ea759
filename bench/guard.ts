import { compete } from './competition.ts'
import { millrace } from './contestants/millrace.ts'
import { raw } from './contestants/raw.ts'
import { type Row, rateOf, spreadOf, tableOf } from './table.ts'
import type { Result } from './workload.ts'
import { drain } from './workloads/drain.ts'

/*
 * What a change must not make worse, as ratios and costs per task, which hardly depend on the machine: `npm run
 * bench:guard`. The limits are far from what is measured on a quiet machine; docs/performance.md has that.
 */
const [ours, bare] = await compete(drain, [millrace, raw], { repeat: 3, tasks: 50_000 })
if (!ours || !bare) throw new Error('nothing was measured')
console.log(tableOf([ours, bare]))

const median = (row: Row, of: (result: Result) => number | undefined) =>
  spreadOf(row, of)?.median ?? Number.NaN
const rules = [
  { what: 'share of the raw limit', is: rateOf(ours)!.median / rateOf(bare)!.median, least: 0.35 },
  {
    what: 'share of heap-only updates',
    is: median(ours, ({ perTask }) => perTask?.heapOnlyShare),
    least: 0.85,
  },
  { what: 'WAL bytes a task', is: median(ours, ({ perTask }) => perTask?.walBytes), most: 1_100 },
  { what: 'commits a task', is: median(ours, ({ perTask }) => perTask?.commits), most: 0.06 },
  { what: 'PostgreSQL CPU µs a task', is: median(ours, ({ cpuMicros }) => cpuMicros?.PostgreSQL), most: 40 },
  { what: 'worker CPU µs a task', is: median(ours, ({ cpuMicros }) => cpuMicros?.worker), most: 50 },
]

for (const { what, is, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } of rules) {
  const isKept = is >= least && is <= most
  const limit = Number.isFinite(least) ? `at least ${least}` : `at most ${most}`
  console.log(`${isKept ? 'kept  ' : 'BROKEN'} ${what}: ${is.toFixed(3)}, ${limit}`)
  if (!isKept) process.exitCode = 1
}
