import { Command } from 'commander'
import type { FeedEvent, Status } from '../../client/index.ts'
import { positiveNumber } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { formatOf, type OutputOptions, print, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { colored, say } from '../words.ts'

type EventsOptions = ServerOptions &
  OutputOptions & { type?: string; queue?: string; status?: string; count?: number }

export function eventsCommand(): Command {
  const command = withServer(withOutput(new Command('events'), ['table', 'jsonl']))
    .summary('print what becomes of all tasks, as it happens')
    .description(
      'print a line each time that a task comes into a status, from now on; broken connections are made again, and it goes on where it was',
    )
    .option('--type <type>', 'tasks of this type only')
    .option('--queue <queue>', 'tasks of this queue only')
    .option('--status <list>', 'these statuses only; comma-separated')
    .option('--count <n>', 'end after so many', positiveNumber)
    .action(events)
  return withExamples(
    command,
    'millrace events --type default --count 3',
    'millrace events --status failed -o jsonl --count 1',
  )
}

async function events({ type, queue, status, count, ...options }: EventsOptions): Promise<void> {
  const filter = {
    ...(type === undefined ? {} : { type }),
    ...(queue === undefined ? {} : { queue }),
    ...(status === undefined ? {} : { status: status.split(',') as Status[] }),
  }
  const millrace = clientOf(options)
  let left = count ?? Number.POSITIVE_INFINITY
  for await (const event of millrace.events(filter, { onConnection: connectionTeller() })) {
    if (event.name === 'missed') say('some events were missed: the connection was gone for too long')
    print(formatOf(options) === 'table' ? lineOf(event) : JSON.stringify(event))
    if (event.name !== 'missed' && --left === 0) return
  }
}

function connectionTeller() {
  let wasGone = false
  return (isOpen: boolean) => {
    if (!isOpen && !wasGone) say('the connection is gone; trying again')
    if (isOpen && wasGone) say('connected again')
    wasGone = !isOpen
  }
}

function lineOf(event: FeedEvent): string {
  if (event.name === 'missed') return '(some are missing here)'
  const { id, type, queue, status, attempt, at } = event
  const time = new Date(at).toTimeString().slice(0, 8)
  return `${time}  ${colored(status, status.padEnd(10))}  ${id}  ${type}  ${queue}  attempt ${attempt}`
}
