import { Command } from 'commander'
import type { Millrace, TaskPage } from '../../client/index.ts'
import { elementTexts, memberTexts } from '../../client/json-text.ts'
import { parseReply } from '../../client/reply.ts'
import { positiveNumber } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { type Filters, filterQuery, withFilters } from '../filters.ts'
import { formatOf, type OutputOptions, type Printer, printerFor, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { taskColumns } from '../task-view.ts'
import { counted, say } from '../words.ts'

type ListOptions = ServerOptions & OutputOptions & Filters & { include?: string; limit: number; all?: true }

const largestPage = 200
const statuses = ['scheduled', 'pending', 'processing', 'completed', 'failed', 'canceled']

export function listCommand(): Command {
  const command = withFilters(
    withServer(withOutput(new Command('list'))).description('print tasks, newest first'),
    statuses,
  )
    .option('--include <members>', 'payload, result or both, comma-separated')
    .option('--limit <n>', 'at most so many', positiveNumber, 50)
    .option('--all', 'all there are')
    .action(listTasks)
  return withExamples(
    command,
    'millrace list --status failed,canceled --created-after 1d',
    'millrace list --all -o ids',
  )
}

async function listTasks(options: ListOptions): Promise<void> {
  const printer = printerFor(options, taskColumns)
  const { printed, hasMore } = await printPages(clientOf(options), options, printer)
  printer.end()
  if (hasMore) say(`There are more: --all, or --limit with more than ${options.limit}.`)
  else if (printed === 0) say('No task fits.')
  else if (formatOf(options) === 'table') say(counted(printed, 'task'))
}

async function printPages(millrace: Millrace, options: ListOptions, printer: Printer) {
  let cursor: string | undefined
  let printed = 0
  do {
    const left = options.all ? largestPage : Math.min(largestPage, options.limit - printed)
    const reply = await millrace.request({
      path: '/tasks',
      query: { ...filterQuery(options), include: options.include, limit: left, cursor },
      repeatable: true,
    })
    const { page } = parseReply<TaskPage>(reply)
    const rows = elementTexts(memberTexts(reply.text).get('data') ?? '[]')
    printer.rows(rows)
    printed += rows.length
    cursor = page.next ?? undefined
  } while (cursor !== undefined && (options.all || printed < options.limit))
  return { printed, hasMore: cursor !== undefined }
}
