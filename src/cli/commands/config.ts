import { Command } from 'commander'
import { describeConfig, readConfig } from '../../runtime/config.ts'
import { withExamples } from '../examples.ts'
import { type OutputOptions, printerFor, withOutput } from '../output.ts'
import type { Column } from '../table.ts'

const columns: readonly Column[] = [
  { title: 'SETTING', width: 17, of: ({ variable }) => variable },
  { title: 'FROM', width: 7, of: ({ source }) => source },
  { title: 'VALUE', whole: true, of: ({ value }) => value },
]

export function configCommand(): Command {
  const command = withOutput(new Command('config'), ['table', 'json', 'jsonl'])
    .summary('print the settings and where each came from')
    .description('print the settings and where each came from; passwords and keys are masked')
    .action((options: OutputOptions) => {
      const printer = printerFor(options, columns)
      printer.rows(
        describeConfig(readConfig(process.env), process.env).map((setting) => JSON.stringify(setting)),
      )
      printer.end()
    })
  return withExamples(command, 'millrace config', 'CONCURRENCY=50 millrace config -o jsonl')
}
