import { Command } from 'commander'
import { version } from '../main/version.ts'
import { batchCommand } from './commands/batch.ts'
import { benchCommand } from './commands/bench.ts'
import { cancelCommand } from './commands/cancel.ts'
import { completionCommand } from './commands/completion.ts'
import { configCommand } from './commands/config.ts'
import { deleteCommand } from './commands/delete.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { errorsCommand } from './commands/errors.ts'
import { eventsCommand } from './commands/events.ts'
import { getCommand } from './commands/get.ts'
import { keysCommand } from './commands/keys.ts'
import { listCommand } from './commands/list.ts'
import { apiCommand, migrateCommand, startCommand, workerCommand } from './commands/processes.ts'
import { queueCommand } from './commands/queue.ts'
import { queuesCommand } from './commands/queues.ts'
import { retryCommand } from './commands/retry.ts'
import { scheduleCommand, schedulesCommand } from './commands/schedules.ts'
import { statsCommand } from './commands/stats.ts'
import { submitCommand } from './commands/submit.ts'
import { topCommand } from './commands/top.ts'
import { waitCommand } from './commands/wait.ts'
import { watchCommand } from './commands/watch.ts'
import { whyCommand } from './commands/why.ts'
import { workersCommand } from './commands/workers.ts'
import { withExamples } from './examples.ts'
import { exitCode } from './exit-code.ts'
import { report } from './failure.ts'

/** Runs one command line and leaves the exit code in `process.exitCode`. */
export async function main(args: readonly string[]): Promise<void> {
  endQuietlyWithReaders()
  try {
    await programOf().parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** These end in an orderly way of their own when they are interrupted. */
const orderly = new Set(['start', 'api', 'worker', 'demo'])

/** The command line with all its commands; parsing it throws where it would end the process. */
export function programOf(): Command {
  const program = new Command('millrace')
    .description('Durable task processing on PostgreSQL.')
    .version(version, '-v, --version')
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .hook('preAction', (_, command) => {
      if (!orderly.has(command.name())) process.once('SIGINT', () => process.exit(exitCode.interrupted))
    })
  for (const [heading, commands] of groups()) {
    program.commandsGroup(heading)
    for (const command of commands) program.addCommand(command.exitOverride())
  }
  program.helpCommand('help [command]', 'print the help of a command')
  return withExamples(program, `millrace submit '"hello"' --wait`, 'millrace list --status failed --limit 5')
}

function groups(): [string, Command[]][] {
  return [
    ['Run:', [startCommand(), demoCommand(), apiCommand(), workerCommand(), migrateCommand()]],
    [
      'Tasks:',
      [
        submitCommand(),
        getCommand(),
        waitCommand(),
        watchCommand(),
        eventsCommand(),
        listCommand(),
        errorsCommand(),
        whyCommand(),
        cancelCommand(),
        retryCommand(),
        deleteCommand(),
      ],
    ],
    ['Batches:', [batchCommand()]],
    ['Schedules:', [schedulesCommand(), scheduleCommand()]],
    ['Queues:', [queuesCommand(), queueCommand()]],
    ['Keys:', [keysCommand()]],
    [
      'Look:',
      [
        statsCommand(),
        topCommand(),
        workersCommand(),
        benchCommand(),
        configCommand(),
        doctorCommand(),
        completionCommand(),
      ],
    ],
  ]
}

/** `millrace list | head -1`: whoever read us has seen enough. */
function endQuietlyWithReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(process.exitCode ?? exitCode.ok)
    })
  }
}
