import { Command } from 'commander'
import type { Stats } from '../../client/index.ts'
import { parseReply } from '../../client/reply.ts'
import { short } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { type OutputOptions, printOne, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { type Column, factsOf, type Row, tableOf } from '../table.ts'
import { grouped } from '../words.ts'

export function statsCommand(): Command {
  const command = withServer(withOutput(new Command('stats'), ['table', 'json', 'jsonl']))
    .summary('print counts and rates')
    .description('print how many tasks there are by status, queue and type, and how fast they go')
    .action(async (options: ServerOptions & OutputOptions) => {
      const reply = await clientOf(options).request({ path: '/stats', repeatable: true })
      const stats = parseReply<Stats>(reply)
      printOne(options, reply.text, () => statsLines(stats))
    })
  return withExamples(command, 'millrace stats', 'millrace stats -o json')
}

function statsLines({ counts, total, rates, oldestPendingAgeMs, queues, types, unserved }: Stats): string[] {
  const facts = [
    ...Object.entries(counts).map(([status, count]) => [status, grouped(count)] as const),
    ['total', grouped(total)] as const,
    ['oldest pending', oldestPendingAgeMs === null ? 'none' : short(oldestPendingAgeMs)] as const,
    [
      'per second',
      `${rates.submittedPerSecond} submitted, ${rates.completedPerSecond} completed, ${rates.failedPerSecond} failed, ${rates.canceledPerSecond} canceled`,
    ] as const,
  ]
  return [
    ...factsOf(facts),
    ...countLines(
      'QUEUE',
      queues.map(({ queue, counts, slots }) => ({ name: queue, ...counts, last: slots })),
      'SLOTS',
    ),
    ...countLines(
      'TYPE',
      types.map(({ type, counts, served }) => ({ name: type, ...counts, last: served ? 'yes' : 'no' })),
      'SERVED',
    ),
    ...(unserved.length > 0 ? ['', `No worker serves: ${unserved.join(', ')}`] : []),
  ]
}

function countLines(title: string, rows: Row[], last: string): string[] {
  if (rows.length === 0) return []
  const columns: Column[] = [
    { title, of: ({ name }) => name },
    ...Object.entries(titles).map(([status, title]) => ({
      title,
      width: 8,
      align: 'right' as const,
      of: (row: Row) => grouped(Number(row[status])),
    })),
    { title: last, width: 6, align: 'right', of: (row) => row.last },
  ]
  const table = tableOf(columns, process.stdout.columns ?? 120)
  return ['', table.head(), ...rows.map(table.row)]
}

const titles = {
  scheduled: 'LATER',
  pending: 'PENDING',
  processing: 'RUNNING',
  completed: 'DONE',
  failed: 'FAILED',
  canceled: 'CANCELED',
}
