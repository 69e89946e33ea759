import { Argument, Command } from 'commander'
import { completionScript, shells } from '../completion.ts'
import { withExamples } from '../examples.ts'
import { print } from '../output.ts'

export function completionCommand(): Command {
  const command = new Command('completion')
    .summary('print what lets a shell complete commands')
    .description('print the script that lets a shell complete commands, options and their values')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: (typeof shells)[number], _options: object, self: Command) => {
      if (self.parent) print(completionScript(shell, self.parent))
    })
  return withExamples(
    command,
    'millrace completion bash >> ~/.bashrc',
    'mkdir -p ~/.zfunc && millrace completion zsh > ~/.zfunc/_millrace',
  )
}
