import { Command } from 'commander'
import { eachTask } from '../each-task.ts'
import { withExamples } from '../examples.ts'
import { type OutputOptions, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'

export function cancelCommand(): Command {
  const command = withServer(withOutput(new Command('cancel')))
    .summary('cancel tasks')
    .description('cancel tasks that are scheduled, pending or processing; what runs is told to stop')
    .argument('<id...>')
    .action((ids: string[], options: ServerOptions & OutputOptions) =>
      eachTask(clientOf(options), ids, { ...options, verb: 'cancel' }),
    )
  return withExamples(
    command,
    `millrace cancel "$(millrace submit '"hello"' --delay 1h -o ids)"`,
    'millrace list --status scheduled --all -o ids | xargs -r millrace cancel',
  )
}
