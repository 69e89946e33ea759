import { Command } from 'commander'
import { withExamples } from '../examples.ts'
import { type OutputOptions, printOne, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { taskPath } from '../task-path.ts'
import { printable } from '../words.ts'

export function whyCommand(): Command {
  const command = withServer(withOutput(new Command('why')))
    .description('say in one sentence why a task is not running')
    .argument('<id>')
    .action(async (id: string, options: ServerOptions & OutputOptions) => {
      const { text } = await clientOf(options).request({ path: taskPath(id, 'why'), repeatable: true })
      printOne(options, text, ({ sentence }) => [printable(String(sentence))])
    })
  return withExamples(
    command,
    `millrace why "$(millrace submit '"hello"' --delay 1h -o ids)"`,
    `millrace why "$(millrace submit '"hello"' --queue nobody -o ids)" -o json`,
  )
}
