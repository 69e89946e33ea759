import { writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { brokerProgram } from '../support/broker-node.ts'
import type { Transport } from './trial/fault.ts'
import { findKinds, type Kind, possibleKinds } from './trial/plan.ts'
import { isGood, totalReport, trialReport } from './trial/report.ts'
import { runTrial, type Trial } from './trial/trial.ts'

/*
 * Shows what survives: `npm run faults -- --seed N --minutes M --transport postgresql|rabbitmq|both`. Brings up systems
 * of its own and ends with 1 when a promise was broken.
 */
type Options = {
  seed: string
  seeds: string
  minutes?: string
  transport: Transport | 'both'
  kinds?: string
  rate: string
  patience: string
  short?: true
  keep?: true
  json?: string
}

const defaultMinutes = 2

const program = new Command('faults')
  .description(
    'Runs a system under load while processes, connections and servers fail, and judges what is left.',
  )
  .option('--seed <number>', 'decides load and faults', '1')
  .option('--seeds <number>', 'so many seeds, one after the other', '1')
  .option('--minutes <number>', `how long faults are drawn for each seed (default: ${defaultMinutes})`)
  .addOption(new Option('--transport <name>').choices(['postgresql', 'rabbitmq', 'both']).default('both'))
  .option('--kinds <list>', 'only kinds with one of these in their name or file, separated by commas')
  .option('--rate <number>', 'tasks a second and transport', '200')
  .option('--patience <seconds>', 'how long to wait for the end of all tasks', '180')
  .option('--short', 'every kind once')
  .option('--keep', 'keeps ledgers and logs also where nothing went wrong')
  .option('--json <file>', 'writes the results there too')
await program.parseAsync()
const options = program.opts<Options>()

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const kinds = chosenKinds(await findKinds())
const trials: Trial[] = []
await Promise.all(transports().map(runTransport))
if (trials.length === 0) program.error('there is nothing to run')
console.log(totalReport(trials))
if (options.json) writeFileSync(options.json, `${JSON.stringify(trials, undefined, 2)}\n`)
process.exit(trials.every(isGood) ? 0 : 1)

function chosenKinds(all: readonly Kind[]): readonly Kind[] {
  const wanted = options.kinds?.split(',')
  const fits = ({ kind, file }: Kind) =>
    wanted?.some((text) => kind.includes(text) || file.includes(text)) ?? true
  return all.filter(fits)
}

function transports(): Transport[] {
  const wanted: Transport[] = options.transport === 'both' ? ['postgresql', 'rabbitmq'] : [options.transport]
  if (!wanted.includes('rabbitmq') || brokerProgram()) return wanted
  if (process.env.CI || options.transport === 'rabbitmq') program.error('install rabbitmq-server')
  console.log('!!! WITHOUT RABBITMQ: install rabbitmq-server !!!')
  return ['postgresql']
}

/** Both at the same time: most of a trial is waiting. */
async function runTransport(transport: Transport): Promise<void> {
  const possible = possibleKinds(kinds, transport)
  for (const { kind, why } of possible.missing) console.log(`${transport}: without "${kind}": ${why}`)
  if (possible.kinds.length > 0) await runSeeds(transport, possible.kinds)
}

async function runSeeds(transport: Transport, possible: readonly Kind[]): Promise<void> {
  const first = Number(options.seed)
  for (let seed = first; seed < first + Number(options.seeds); seed++) {
    const trial = await runTrial({
      seed,
      transport,
      kinds: possible,
      minutes: options.short ? undefined : Number(options.minutes ?? defaultMinutes),
      rate: Number(options.rate),
      keep: options.keep === true,
      patienceMs: Number(options.patience) * 1000,
      say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${transport}: ${line}`),
    })
    trials.push(trial)
    console.log(trialReport(trial))
  }
}
