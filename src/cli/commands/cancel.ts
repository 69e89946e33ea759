import { Command } from 'commander'
import { chosenTasksCommand } from '../chosen-tasks.ts'
import { withExamples } from '../examples.ts'
import { withOutput } from '../output.ts'
import { withServer } from '../server.ts'

export function cancelCommand(): Command {
  const command = withServer(withOutput(new Command('cancel')))
    .summary('cancel tasks')
    .description('cancel tasks, given by id or by a filter; what runs is told to stop')
  return withExamples(
    chosenTasksCommand(command, {
      verb: 'cancel',
      doing: 'canceling',
      done: 'canceled',
      statuses: ['scheduled', 'pending', 'processing'],
    }),
    `millrace cancel "$(millrace submit '"hello"' --delay 1h -o ids)"`,
    'millrace cancel --status scheduled --type default --yes',
  )
}
