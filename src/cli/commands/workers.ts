import { Command } from 'commander'
import { elementTexts } from '../../client/json-text.ts'
import { age } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { formatOf, type OutputOptions, printerFor, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import type { Column } from '../table.ts'
import { say } from '../words.ts'

const columns: readonly Column[] = [
  { title: 'ID', width: 36, of: ({ id }) => id },
  { title: 'HOST', of: ({ host, pid }) => `${host}:${pid}` },
  { title: 'QUEUES', of: ({ queues }) => (Array.isArray(queues) ? queues.join(',') : '') },
  { title: 'BUSY', width: 11, align: 'right', of: ({ running, concurrency }) => `${running}/${concurrency}` },
  { title: 'SEEN', width: 4, align: 'right', of: ({ lastSeenAt }) => age(lastSeenAt) },
]

export function workersCommand(): Command {
  const command = withServer(withOutput(new Command('workers')))
    .description('print the workers that live')
    .action(async (options: ServerOptions & OutputOptions) => {
      const { text } = await clientOf(options).request({ path: '/workers', repeatable: true })
      const workers = elementTexts(text)
      const printer = printerFor(options, columns)
      printer.rows(workers)
      printer.end()
      if (workers.length === 0 && formatOf(options) === 'table')
        say('No worker lives: start one with `millrace worker`.')
    })
  return withExamples(command, 'millrace workers', 'millrace workers -o jsonl')
}
