import { Command } from 'commander'
import { type Task, TaskCanceledError, type TaskEvent, TaskFailedError } from '../../client/index.ts'
import { withExamples } from '../examples.ts'
import { formatOf, type OutputOptions, print, printJson, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { taskPath } from '../task-path.ts'
import { colored, printable } from '../words.ts'

export function watchCommand(): Command {
  const command = withServer(withOutput(new Command('watch'), ['table', 'jsonl']))
    .summary('print each change of a task until it is final')
    .description(
      'print each change of a task, and how far it is, until it is final; exit code 4 if it failed or was canceled',
    )
    .argument('<id>')
    .action((id: string, options: ServerOptions & OutputOptions) => watch(id, options))
  return withExamples(
    command,
    `millrace watch "$(millrace submit '"hello"' -o ids)"`,
    `millrace watch "$(millrace submit '"hello"' -o ids)" -o jsonl`,
  )
}

async function watch(id: string, options: ServerOptions & OutputOptions): Promise<void> {
  taskPath(id)
  let last: Task | undefined
  for await (const event of clientOf(options).task(id.trim()).events()) {
    if (formatOf(options) === 'table') print(lineOf(event))
    else printJson(JSON.stringify(event))
    last = event.task
  }
  if (last?.status === 'failed') throw new TaskFailedError(last)
  if (last?.status === 'canceled') throw new TaskCanceledError(last)
}

function lineOf({ name, task: { status, attempt, progress } }: TaskEvent): string {
  const at = new Date().toTimeString().slice(0, 8)
  const what = colored(status, status.padEnd(10))
  if (name !== 'progress' || !progress) return `${at}  ${what}  attempt ${attempt}`
  const { done, total, message } = progress
  return `${at}  ${what}  ${done}${total === null ? '' : ` of ${total}`}${message === null ? '' : `  ${printable(message)}`}`
}
