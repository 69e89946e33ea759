import { Command } from 'commander'
import { durationMs, durationWords } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { type OutputOptions, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { awaitAndPrint } from '../waiting.ts'

type WaitCommandOptions = ServerOptions & OutputOptions & { timeout?: number }

export function waitCommand(): Command {
  const command = withServer(withOutput(new Command('wait')))
    .summary('wait until a task is final, then print it')
    .description(
      'wait until a task is final, then print it; exit code 4 if it failed or was canceled, 5 if it took too long',
    )
    .argument('<id>')
    .option('--timeout <duration>', `how long to wait at most: ${durationWords}`, durationMs)
    .action((id: string, options: WaitCommandOptions) =>
      awaitAndPrint(clientOf(options), id, { ...options, timeoutMs: options.timeout }),
    )
  return withExamples(
    command,
    `millrace wait "$(millrace submit '"hello"' -o ids)"`,
    `millrace wait "$(millrace submit '"hello"' -o ids)" --timeout 30s -o json`,
  )
}
