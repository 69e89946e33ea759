import { Command } from 'commander'
import { eachTask } from '../each-task.ts'
import { withExamples } from '../examples.ts'
import { type OutputOptions, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'

export function retryCommand(): Command {
  const command = withServer(withOutput(new Command('retry')))
    .summary('run failed or canceled tasks again')
    .description('run failed or canceled tasks again, with fresh attempts')
    .argument('<id...>')
    .action((ids: string[], options: ServerOptions & OutputOptions) =>
      eachTask(clientOf(options), ids, { ...options, verb: 'retry' }),
    )
  return withExamples(
    command,
    `millrace retry "$(millrace cancel "$(millrace submit '"hello"' --delay 1h -o ids)" -o ids)"`,
    'millrace list --status failed --created-after 1h --all -o ids | xargs -r millrace retry',
  )
}
