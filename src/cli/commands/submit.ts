import { text } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import type { Millrace } from '../../client/index.ts'
import { memberTexts } from '../../client/json-text.ts'
import { durationMs, durationWords, positiveNumber } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { UsageError } from '../exit-code.ts'
import { type OutputOptions, printOne, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, targetOf, withServer } from '../server.ts'
import { type Fields, fieldTexts, objectText, payloadText } from '../submission.ts'
import { submitFile } from '../submit-file.ts'
import { taskLines } from '../task-view.ts'
import { awaitAndPrint } from '../waiting.ts'

type SubmitCommandOptions = ServerOptions &
  OutputOptions &
  Fields & { string?: true; file?: string; wait?: true; waitTimeout?: number }

export function submitCommand(): Command {
  const command = withServer(withOutput(new Command('submit')))
    .description('submit a task, or the tasks of a file')
    .argument('[payload]', 'JSON; what is none is sent as a string; - reads it from stdin')
    .option('--string', 'the payload is text, not JSON')
    .option('--type <type>', 'which handler does the work')
    .option('--queue <queue>', 'where the task waits')
    .option('--task-key <key>', 'whom it is for: keys take turns in a queue with limits')
    .addOption(new Option('--priority <priority>').choices(['low', 'normal', 'high']))
    .option('--delay <duration>', `run it later: ${durationWords}`, durationMs)
    .option('--run-at <instant>', 'run it then, such as 2030-01-31T09:00:00Z')
    .option('--max-attempts <n>', 'how often it may fail', positiveNumber)
    .option('--timeout <duration>', 'limit of one attempt', durationMs)
    .option('--key <key>', 'idempotency key: the same one again is the same task')
    .option('--callback <url>', 'where the task is posted once it is final')
    .option('--wait', 'wait until the task is final and print it then')
    .option('--wait-timeout <duration>', 'how long to wait at most; implies --wait', durationMs)
    .option(
      '--file <path>',
      'a task a line, such as {"payload":1,"type":"default"}; - is stdin; other options fill gaps',
    )
    .action(submit)
  return withExamples(
    command,
    `millrace submit '{"to":"a@b.c"}' --delay 5m -o ids`,
    `printf '%s\\n' '{"payload":1}' '{"payload":"two"}' | millrace submit --file -`,
  )
}

async function submit(payload: string | undefined, options: SubmitCommandOptions): Promise<void> {
  const problem = contradiction(payload, options)
  if (problem) throw new UsageError(problem)
  if (options.file !== undefined)
    return submitFile(targetOf(options), options.file, { ...options, fields: fieldTexts(options) })
  const millrace = clientOf(options)
  const reply = await submitOne(millrace, payload ?? '', options)
  if (!options.wait && options.waitTimeout === undefined) return printOne(options, reply, taskLines(reply))
  const id: string = JSON.parse(memberTexts(reply).get('id') ?? '""')
  await awaitAndPrint(millrace, id, { ...options, timeoutMs: options.waitTimeout })
}

function contradiction(payload: string | undefined, options: SubmitCommandOptions): string | undefined {
  if (payload === undefined && options.file === undefined)
    return 'there is nothing to submit: give a payload or --file'
  if (options.delay !== undefined && options.runAt !== undefined)
    return '--delay and --run-at exclude each other'
  if (options.file === undefined) return undefined
  if (payload !== undefined) return 'a payload and --file exclude each other'
  if (options.key !== undefined)
    return '--key is for one task: put "idempotencyKey" into the lines of the file'
  if (options.string) return '--string is for one payload: the lines of a file are JSON'
  if (options.wait || options.waitTimeout !== undefined)
    return '--wait is for one task: look at those of a file with list'
  return undefined
}

async function submitOne(millrace: Millrace, given: string, options: SubmitCommandOptions): Promise<string> {
  const payload = payloadText(given === '-' ? await text(process.stdin) : given, {
    string: options.string === true,
  })
  const key = options.key ?? `cli-${crypto.randomUUID()}`
  const body = objectText([['payload', payload], ...fieldTexts({ ...options, key })])
  return (await millrace.request({ method: 'POST', path: '/tasks', body, repeatable: true })).text
}
