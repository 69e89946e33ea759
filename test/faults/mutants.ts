import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { makeFolder, removeFolder } from '../support/folder.ts'
import { sentence } from './check/checker.ts'
import { guards } from './mutants/guards.ts'
import { breed, type Mutant } from './mutants/mutant.ts'
import type { Trial } from './trial/trial.ts'

/*
 * Proves the checker: `npm run faults:mutants -- [words]` takes each guard out, in a copy of the sources, and demands
 * that a run with the faults which the guard answers finds the broken promise. Ends with 1 when one is not found.
 */
const program = new Command('faults:mutants')
  .description('Takes each guard out in turn and shows that a run of the fault rig fails without it.')
  .argument('[words...]', 'only guards with one of these in their name')
  .option('--list', 'names the guards')
await program.parseAsync()
const { list } = program.opts<{ list?: true }>()

const chosen = guards.filter(
  ({ guard }) => program.args.length === 0 || program.args.some((word) => guard.includes(word)),
)
if (list) {
  for (const { guard } of chosen) console.log(guard)
  process.exit(0)
}
let survivors = 0
for (const mutant of chosen) if (!(await isFound(mutant))) survivors += 1
console.log(`${chosen.length - survivors} of ${chosen.length} mutants were found`)
process.exit(survivors === 0 && chosen.length > 0 ? 0 : 1)

/** What is drawn differs from seed to seed, and a mutant may live through some. */
async function isFound(mutant: Mutant): Promise<boolean> {
  const seeds = [1, 2, 3]
  const folder = makeFolder('mutant')
  try {
    breed(mutant, folder)
    for (const seed of seeds) {
      const trial = await runTrial(mutant, { folder, seed })
      const found = trial?.verdict.violations.find(({ promise }) => promise === mutant.breaks)
      const said = found ? sentence(found) : missed(mutant, trial)
      console.log(`without "${mutant.guard}", seed ${seed}: ${said}`)
      if (found) return true
    }
    return false
  } finally {
    removeFolder(folder)
  }
}

function missed({ breaks }: Mutant, trial: Trial | undefined): string {
  const others = trial ? [...trial.verdict.violations.map(sentence), ...trial.troubles] : []
  return `NOT FOUND to break "${breaks}"; what was found: ${others.slice(0, 3).join('; ') || 'nothing'}`
}

async function runTrial(
  { guard, kinds, transport, minutes, rate = 150 }: Mutant,
  { folder, seed }: { folder: string; seed: number },
): Promise<Trial | undefined> {
  const file = join(folder, `trial-${seed}.json`)
  const duration = minutes === undefined ? ['--short'] : ['--minutes', String(minutes)]
  const options = { seed, transport, kinds, rate, patience: 30, json: file }
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const said = await sayings([join(folder, 'test/faults/run.ts'), ...duration, ...words], { TMPDIR: folder })
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as Trial[])[0]
  console.log(`the rig could not run without "${guard}":\n${said}`)
  return undefined
}

/** However it ends: the verdict is in its file. Nothing that it leaves behind is outside of the mutant's folder. */
function sayings(args: readonly string[], env: Record<string, string>): Promise<string> {
  const options = { maxBuffer: 2 ** 26, env: { ...process.env, ...env } }
  return new Promise((resolve) =>
    execFile(process.execPath, args, options, (_error, out, err) => resolve(`${out}${err}`)),
  )
}
