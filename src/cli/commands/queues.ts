import { Command } from 'commander'
import { elementTexts } from '../../client/json-text.ts'
import { withExamples } from '../examples.ts'
import { formatOf, type OutputOptions, printerFor, withOutput } from '../output.ts'
import { queueColumns } from '../queue-view.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { say } from '../words.ts'

export function queuesCommand(): Command {
  const command = withServer(withOutput(new Command('queues'), ['table', 'json', 'jsonl']))
    .description('print the queues, what waits in them, and their limits')
    .action(async (options: ServerOptions & OutputOptions) => {
      const { text } = await clientOf(options).request({ path: '/queues', repeatable: true })
      const queues = elementTexts(text)
      const printer = printerFor(options, queueColumns)
      printer.rows(queues)
      printer.end()
      if (queues.length === 0 && formatOf(options) === 'table')
        say('There is no queue yet: the first task or worker makes one.')
    })
  return withExamples(command, 'millrace queues', 'millrace queues -o jsonl')
}
