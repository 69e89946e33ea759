import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { compete, countsOf, entrants } from './competition.ts'
import type { Contestant } from './contestant.ts'
import { celery } from './contestants/celery.ts'
import { elsewhere, millrace, millraceRabbit } from './contestants/millrace.ts'
import { peers } from './contestants/peers.ts'
import { raw } from './contestants/raw.ts'
import { busyness, type Stamp, stampText, takeStamp } from './stamp.ts'
import { type Row, rateOf, tableOf } from './table.ts'
import type { Workload } from './workload.ts'
import { workloads } from './workloads/index.ts'

/*
 * Millrace beside what one would have picked instead: `npm run bench -- [workloads]`.
 */
type Options = { tasks?: string; repeat: string; only?: string; json?: string; compare?: boolean }
type Report = { before: Stamp; after: Stamp; rows: Row[] }

const program: Command = new Command('bench')
  .description(
    'Measures Millrace, the raw limit of its statements, and the peers that npm run bench:peers installed.',
  )
  .argument(
    '[workloads...]',
    `of ${workloads.map(({ name }) => name).join(', ')}; ${'those that take less than a minute each without any'}`,
  )
  .option('--tasks <number>', 'so many tasks in each run')
  .option('--repeat <number>', 'so often, taking turns', '3')
  .option('--only <list>', 'contestants with one of these words in their name, separated by commas')
  .option('--json <file>', 'writes the results there too')
  .option('--compare', 'compares two such files, given instead of workloads')
await program.parseAsync()
const options = program.opts<Options>()
if (options.compare) compare(program.args)
else await measure()

async function measure(): Promise<void> {
  const before = takeStamp()
  console.log(stampText(before))
  const warning = busyness(before)
  if (warning) console.log(`!!! ${warning}`)
  const contestants = present([millrace, raw, millraceRabbit, ...elsewhere, ...peers, celery])
  for (const { name, about } of contestants) console.log(`${name}: ${about}`)
  const rows: Row[] = []
  for (const workload of chosen()) rows.push(...(await measureOne(workload, entrants(workload, contestants))))
  const report: Report = { before, after: takeStamp(), rows }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
}

async function measureOne(workload: Workload, contestants: readonly Contestant[]): Promise<Row[]> {
  const terms = { repeat: Number(options.repeat), tasks: options.tasks ? Number(options.tasks) : undefined }
  const rows = await compete(workload, contestants, terms)
  const counts = countsOf(workload, contestants, terms)
  console.log(`\n${workload.name}: ${workload.about}; ${counts}; ${terms.repeat} times\n${tableOf(rows)}\n`)
  return rows
}

function chosen(): readonly Workload[] {
  for (const name of program.args)
    if (!workloads.some((workload) => workload.name === name)) program.error(`there is no workload "${name}"`)
  if (program.args.length === 0) return workloads.filter(({ isLong }) => !isLong)
  return workloads.filter(({ name }) => program.args.includes(name))
}

function present(all: readonly Contestant[]): Contestant[] {
  const words = options.only?.toLowerCase().split(',')
  const has = (word: string, { name }: Contestant) => name.toLowerCase().includes(word)
  const isUsual = (word: string) => all.some((one) => !one.isExtra && has(word, one))
  // A word that the usual ones share with others means only these.
  const wanted = all.filter((one) =>
    words ? words.some((word) => has(word, one) && !(one.isExtra && isUsual(word))) : !one.isExtra,
  )
  return wanted.filter(({ name, missing }) => {
    const why = missing?.()
    if (why) console.log(`without ${name}: ${why}`)
    return !why
  })
}

function compare(files: readonly string[]): void {
  const [a, b] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report)
  if (!a || !b) program.error('give two files')
  console.log(`A: ${stampText(a.before)}\nB: ${stampText(b.before)}`)
  for (const row of a.rows) {
    const other = b.rows.find((one) => one.workload === row.workload && one.contestant === row.contestant)
    const [before, after] = [rateOf(row), other && rateOf(other)]
    if (!before || !after) continue
    const change = (100 * (after.median / before.median - 1)).toFixed(1)
    console.log(
      `${row.workload.padEnd(10)} ${row.contestant.padEnd(26)} ${Math.round(before.median)} → ${Math.round(after.median)} tasks/s (${change} %)`,
    )
  }
}
