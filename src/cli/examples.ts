import type { Command } from 'commander'

/** Ends the help of a command with two lines that can be copied and run. */
export function withExamples(command: Command, first: string, second: string): Command {
  return command.addHelpText('after', `\nExamples:\n  $ ${first}\n  $ ${second}`)
}
