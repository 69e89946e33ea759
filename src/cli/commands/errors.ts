import { Command, Option } from 'commander'
import { elementTexts, memberTexts } from '../../client/json-text.ts'
import { positiveNumber } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { formatOf, type OutputOptions, printerFor, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import type { Column } from '../table.ts'
import { grouped, say } from '../words.ts'

type ErrorsOptions = ServerOptions &
  OutputOptions & { order: 'latest' | 'most'; type?: string; queue?: string; limit: number }

/** Groups of failures in a table of 80 columns and more. */
const columns: readonly Column[] = [
  { title: 'FINGERPRINT', width: 16, of: ({ fingerprint }) => fingerprint },
  { title: 'TASKS', width: 9, align: 'right', of: ({ count }) => grouped(Number(count)) },
  { title: 'LAST SEEN', width: 24, of: ({ lastSeenAt }) => lastSeenAt },
  { title: 'ERROR', of: ({ name, message }) => `${name}: ${message}` },
]

export function errorsCommand(): Command {
  const command = withServer(withOutput(new Command('errors'), ['table', 'json', 'jsonl']))
    .summary('failures that are alike: how many, and since when')
    .description(
      'print what fails, grouped by what is alike: how many tasks are failed so, and when the latest was. The fingerprint chooses the tasks of a group in list, retry and cancel',
    )
    .addOption(
      new Option('--order <order>', 'which come first').choices(['latest', 'most']).default('latest'),
    )
    .option('--type <type>', 'only where tasks of this type have failed')
    .option('--queue <queue>', 'only where tasks of this queue have failed')
    .option('--limit <n>', 'at most so many, up to 200', positiveNumber, 50)
    .action(printErrors)
  return withExamples(
    command,
    'millrace errors --order most --limit 5',
    'millrace errors --type greet -o jsonl',
  )
}

async function printErrors(options: ErrorsOptions): Promise<void> {
  const { order, type, queue, limit } = options
  const query = { order, type, queue, limit }
  const { text } = await clientOf(options).request({ path: '/errors', query, repeatable: true })
  const groups = elementTexts(memberTexts(text).get('data') ?? '[]')
  const printer = printerFor(options, columns)
  printer.rows(groups)
  printer.end()
  if (groups.length === 0 && formatOf(options) === 'table') say('Nothing is failed.')
}
