import { Command } from 'commander'
import type { Millrace, TaskPage } from '../../client/index.ts'
import { elementTexts, memberTexts } from '../../client/json-text.ts'
import { parseReply } from '../../client/reply.ts'
import { instant, positiveNumber } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { formatOf, type OutputOptions, type Printer, printerFor, withOutput } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { taskColumns } from '../task-view.ts'
import { counted, say } from '../words.ts'

type Filters = {
  status?: string
  type?: string
  queue?: string
  batch?: string
  createdAfter?: string
  createdBefore?: string
  include?: string
}
type ListOptions = ServerOptions & OutputOptions & Filters & { limit: number; all?: true }

const largestPage = 200

export function listCommand(): Command {
  const command = withServer(withOutput(new Command('list')))
    .description('print tasks, newest first')
    .option('--status <list>', 'scheduled, pending, processing, completed, failed, canceled; comma-separated')
    .option('--type <type>')
    .option('--queue <queue>')
    .option('--batch <id>', 'tasks that were submitted together')
    .option('--created-after <instant>', 'an instant, or a time ago such as 2h', instant)
    .option('--created-before <instant>', 'an instant, or a time ago such as 2h', instant)
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
      query: { ...queryOf(options), limit: left, cursor },
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

function queryOf({ status, type, queue, batch, createdAfter, createdBefore, include }: Filters) {
  return { status, type, queue, batchId: batch, createdAfter, createdBefore, include }
}
