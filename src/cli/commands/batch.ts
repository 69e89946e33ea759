import { Command } from 'commander'
import type { Batch, Millrace } from '../../client/index.ts'
import { durationMs, durationWords } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { CommandFailure, exitCode, UsageError } from '../exit-code.ts'
import { type OutputOptions, printOne, withOutput } from '../output.ts'
import { startProgress } from '../progress.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { factsOf, type Row } from '../table.ts'
import { grouped } from '../words.ts'

type BatchCommandOptions = ServerOptions & OutputOptions & { wait?: true; timeout?: number }

const submitted = `echo '{"payload":1}' | millrace submit --file - -o ids`
/** An example: a batch is submitted, and its id comes out of one of its tasks. */
const withBatch = (command: string) =>
  `${submitted} | xargs millrace get -o jsonl | grep -o '"batchId":"[^"]*' | cut -d'"' -f4 | xargs -I ID ${command}`

export function batchCommand(): Command {
  const command = withServer(withOutput(new Command('batch')))
    .summary('how far a batch is, or wait for it; cancel or retry its tasks')
    .description(
      'print how far a batch is; with --wait when all of its tasks are final, and then exit code 4 if one failed or was canceled, 5 if it took too long',
    )
    .argument('<id>')
    .option('--wait', 'wait until every task is final')
    .option('--timeout <duration>', `how long to wait at most: ${durationWords}`, durationMs)
    .action(printBatch)
    .addCommand(moveCommand('cancel', 'cancel what is not final').exitOverride())
    .addCommand(moveCommand('retry', 'run what has failed again').exitOverride())
  return withExamples(
    command,
    withBatch('millrace batch ID --wait --timeout 10m'),
    withBatch('millrace batch cancel ID'),
  )
}

function moveCommand(verb: 'cancel' | 'retry', words: string): Command {
  const command = withServer(withOutput(new Command(verb)))
    .description(`${words}, of all tasks of a batch`)
    .argument('<id>')
    .action(async (id: string, options: ServerOptions & OutputOptions) => {
      const { text } = await ask(clientOf(options), id, verb)
      printOne(options, text, linesOf)
    })
  return withExamples(
    command,
    withBatch(`millrace batch ${verb} ID`),
    withBatch(`millrace batch ${verb} ID -o json`),
  )
}

async function printBatch(id: string, options: BatchCommandOptions): Promise<void> {
  if (options.timeout !== undefined && !options.wait)
    throw new UsageError('--timeout is for --wait; give both or neither')
  const millrace = clientOf(options)
  const batch = options.wait ? await awaitBatch(millrace, id, options.timeout) : undefined
  const { text } = await ask(millrace, id)
  printOne(options, text, linesOf)
  const unlucky = batch ? batch.counts.failed + batch.counts.canceled : 0
  if (unlucky > 0)
    throw new CommandFailure(
      `error: ${grouped(unlucky)} tasks of the batch failed or were canceled`,
      exitCode.taskFailed,
    )
}

async function awaitBatch(millrace: Millrace, id: string, timeoutMs: number | undefined): Promise<Batch> {
  const { total } = await millrace.batch(id.trim()).get()
  const progress = await startProgress({ label: 'batch', unit: 'tasks', total })
  try {
    return await millrace.batch(id.trim()).wait({
      timeoutMs,
      onProgress: ({ counts }) => progress.update(counts.completed + counts.failed + counts.canceled),
    })
  } finally {
    progress.stop()
  }
}

function ask(millrace: Millrace, id: string, verb?: 'cancel' | 'retry') {
  if (id.trim() === '') throw new UsageError('the id of a batch is empty')
  const path = `/batches/${encodeURIComponent(id.trim())}`
  return verb
    ? millrace.request({ method: 'POST', path: `${path}/${verb}`, repeatable: true, timeoutMs: 600_000 })
    : millrace.request({ path, repeatable: true })
}

function linesOf({ counts, ...row }: Row): string[] {
  const facts = Object.entries({ ...row, ...Object(counts) }).filter(([, value]) => value !== null)
  return factsOf(facts.map(([name, value]) => [name, String(value)] as const))
}
