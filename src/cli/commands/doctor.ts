import { styleText } from 'node:util'
import { Command } from 'commander'
import type { Finding } from '../../main/doctor/finding.ts'
import { type Config, readConfig } from '../../runtime/config.ts'
import { withExamples } from '../examples.ts'
import { exitCode } from '../exit-code.ts'
import { formatOf, type OutputOptions, print, withOutput } from '../output.ts'
import { printable } from '../words.ts'

export function doctorCommand(): Command {
  const command = withOutput(new Command('doctor'), ['table', 'jsonl'])
    .summary('check what Millrace needs here')
    .description('check what Millrace needs here, and say what to do; exit code 1 if something fails')
    .action(async (options: OutputOptions) => {
      const lineOf = formatOf(options) === 'table' ? lineForPeople : JSON.stringify
      for await (const finding of findings(readConfig(process.env, { listens: true }))) {
        print(lineOf(finding))
        if (finding.state === 'fail') process.exitCode = exitCode.error
      }
    })
  return withExamples(
    command,
    'millrace doctor',
    'DATABASE_URL=postgres://localhost/millrace millrace doctor -o jsonl',
  )
}

async function* findings(config: Config): AsyncGenerator<Finding> {
  const [{ machineFindings }, { databaseFindings }, { brokerFindings }, { portFinding }] = await Promise.all([
    import('../../main/doctor/machine.ts'),
    import('../../main/doctor/database.ts'),
    import('../../main/doctor/broker.ts'),
    import('../../main/doctor/port.ts'),
  ])
  yield* machineFindings(config)
  yield* databaseFindings(config)
  yield* brokerFindings(config)
  yield await portFinding(config)
}

const colors = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function lineForPeople({ check, state, detail, advice }: Finding): string {
  const mark = styleText(colors[state], state.padEnd(4), { stream: process.stdout })
  return `${mark}  ${check.padEnd(14)}  ${printable(detail)}${advice ? `\n      ${' '.repeat(14)}  → ${advice}` : ''}`
}
