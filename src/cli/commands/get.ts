import { Command } from 'commander'
import { withExamples } from '../examples.ts'
import { type OutputOptions, printOne, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { taskPath } from '../task-path.ts'
import { taskLines } from '../task-view.ts'

export function getCommand(): Command {
  const command = withServer(withOutput(new Command('get')))
    .description('print a task')
    .argument('<id>')
    .action(async (id: string, options: ServerOptions & OutputOptions) => {
      const { text } = await clientOf(options).request({ path: taskPath(id), repeatable: true })
      printOne(options, text, taskLines(text))
    })
  return withExamples(
    command,
    `millrace get "$(millrace submit '"hello"' -o ids)"`,
    `millrace get "$(millrace submit '{"n":1}' -o ids)" -o json`,
  )
}
