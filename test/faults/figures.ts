import { globSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Figure, Reading } from './measure/figure.ts'

/*
 * Measures what is promised in numbers, one figure after the other:
 * `npm run faults:figures -- [names] [--scale 0.1] [--seed 1] [--json FILE]`. Ends with 1 when a figure is missed.
 */
type Options = { scale: string; seed: string; json?: string }

const figures = await findFigures()
const program = new Command('faults:figures')
  .description('Measures the promises that are numbers. Without names: all of them.')
  .argument('[names...]', `of ${figures.map(({ name }) => name).join(', ')}`)
  .option('--scale <number>', 'below 1 for a shorter run of the same kind', '1')
  .option('--seed <number>', 'what is drawn is drawn from it', '1')
  .option('--json <file>', 'writes the readings there too')
await program.parseAsync()
const options = program.opts<Options>()
const readings = await measureAll(chosen(program.args))
if (options.json) writeFileSync(options.json, `${JSON.stringify(readings, undefined, 2)}\n`)
process.exit(readings.every(({ met }) => met) ? 0 : 1)

async function findFigures(): Promise<Figure[]> {
  const files = globSync('figures/*.ts', { cwd: import.meta.dirname }).sort()
  const modules = await Promise.all(files.map((file) => import(`./${file}`) as Promise<{ figure: Figure }>))
  return modules.map(({ figure }) => figure)
}

function chosen(names: readonly string[]): Figure[] {
  for (const name of names)
    if (!figures.some((figure) => figure.name === name)) program.error(`there is no figure "${name}"`)
  return names.length === 0 ? figures : figures.filter(({ name }) => names.includes(name))
}

async function measureAll(wanted: readonly Figure[]) {
  const readings: (Reading & { name: string; goal: string })[] = []
  for (const figure of wanted) {
    const { name, goal } = figure
    console.log(`${name}: ${goal}`)
    const missing = figure.missing?.()
    const reading = missing === undefined ? await measure(figure) : notMeasured(missing)
    console.log(`  ${reading.met ? 'met' : 'MISSED'}: ${reading.text}`)
    readings.push({ name, goal, ...reading })
  }
  return readings
}

async function measure(figure: Figure): Promise<Reading> {
  const say = (line: string) => console.log(`  ${line}`)
  try {
    return await figure.measure({ scale: Number(options.scale), seed: Number(options.seed), say })
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { met: false, text: `could not be measured: ${text}`, values: {} }
  }
}

/** What this machine cannot show is not missed. */
function notMeasured(why: string): Reading {
  return { met: true, text: `not measured: ${why}`, values: {} }
}
