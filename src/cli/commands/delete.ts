import { Command } from 'commander'
import { chosenTasksCommand } from '../chosen-tasks.ts'
import { withExamples } from '../examples.ts'
import { withOutput } from '../output.ts'
import { withServer } from '../server.ts'

export function deleteCommand(): Command {
  const command = withServer(withOutput(new Command('delete')))
    .summary('delete tasks that have ended')
    .description('delete tasks that have ended, with all that is kept of them; given by id or by a filter')
  return withExamples(
    chosenTasksCommand(command, {
      verb: 'delete',
      doing: 'deleting',
      done: 'deleted',
      statuses: ['completed', 'failed', 'canceled'],
    }),
    `millrace delete --yes "$(millrace cancel "$(millrace submit '"hello"' --delay 1h -o ids)" -o ids)"`,
    'millrace delete --status completed --age ">7d" --yes',
  )
}
