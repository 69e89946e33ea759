import { Command } from 'commander'
import { chosenTasksCommand } from '../chosen-tasks.ts'
import { withExamples } from '../examples.ts'
import { withOutput } from '../output.ts'
import { withServer } from '../server.ts'

export function retryCommand(): Command {
  const command = withServer(withOutput(new Command('retry')))
    .summary('run failed or canceled tasks again')
    .description('run failed or canceled tasks again, with fresh attempts; given by id or by a filter')
  return withExamples(
    chosenTasksCommand(command, {
      verb: 'retry',
      doing: 'retrying',
      done: 'retried',
      statuses: ['failed', 'canceled'],
    }),
    `millrace retry "$(millrace cancel "$(millrace submit '"hello"' --delay 1h -o ids)" -o ids)"`,
    'millrace retry --status failed --created-after 1h --yes',
  )
}
