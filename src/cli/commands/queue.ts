import { Argument, Command, InvalidArgumentError } from 'commander'
import type { Call } from '../../client/http.ts'
import { withExamples } from '../examples.ts'
import { UsageError } from '../exit-code.ts'
import { type OutputOptions, printerFor, withOutput } from '../output.ts'
import { queueColumns } from '../queue-view.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'

type Action = 'pause' | 'resume' | 'set'
/** Not null: the parser of options takes that for no value. */
type Limit = number | 'none'
type Limits = { concurrency?: Limit; rate?: Limit; keyConcurrency?: Limit; keyRate?: Limit }

export function queueCommand(): Command {
  const command = withServer(withOutput(new Command('queue'), ['table', 'json', 'jsonl']))
    .summary('pause or resume a queue, set its limits')
    .description('pause or resume a queue, or set its limits: a number, or none')
    .addArgument(new Argument('<action>').choices(['pause', 'resume', 'set']))
    .argument('<name>')
    .option('--concurrency <n>', 'how many run at once, over all workers', limit)
    .option('--rate <n>', 'how many start in a second, over all workers', limit)
    .option('--key-concurrency <n>', 'how many of each key run at once', limit)
    .option('--key-rate <n>', 'how many of each key start in a second', limit)
    .action(changeQueue)
  return withExamples(
    command,
    'millrace queue set crawl --concurrency 50 --key-concurrency 2 --key-rate 1',
    'millrace queue pause crawl && millrace queue resume crawl',
  )
}

async function changeQueue(
  action: Action,
  name: string,
  options: ServerOptions & OutputOptions & Limits,
): Promise<void> {
  const { text } = await clientOf(options).request(callOf(action, name, options))
  const printer = printerFor(options, queueColumns)
  printer.rows([text])
  printer.end()
}

function callOf(action: Action, name: string, { concurrency, rate, keyConcurrency, keyRate }: Limits): Call {
  if (name.trim() === '') throw new UsageError('the name of a queue is empty')
  const path = `/queues/${encodeURIComponent(name)}`
  const limits = { concurrency, ratePerSecond: rate, keyConcurrency, keyRatePerSecond: keyRate }
  const isLimited = Object.values(limits).some((value) => value !== undefined)
  if (action === 'set' && !isLimited)
    throw new UsageError(
      'there is nothing to set: give --concurrency, --rate, --key-concurrency or --key-rate',
    )
  if (action === 'set')
    return {
      method: 'PATCH',
      path,
      body: JSON.stringify(limits, (_, value) => (value === 'none' ? null : value)),
      repeatable: true,
    }
  if (isLimited) throw new UsageError(`limits are set by \`millrace queue set ${name}\``)
  return { method: 'POST', path: `${path}/${action}`, repeatable: true }
}

function limit(text: string): Limit {
  if (text === 'none') return text
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) <= 0)
    throw new InvalidArgumentError('It is a number above 0, or none.')
  return Number(text)
}
