import type { Command } from 'commander'
import { instant } from './amounts.ts'

/** The options that say which tasks are meant. */
export type Filters = {
  status?: string
  type?: string
  queue?: string
  batch?: string
  createdAfter?: string
  createdBefore?: string
}

export function withFilters(command: Command, statuses: readonly string[]): Command {
  return command
    .option('--status <list>', `${statuses.join(', ')}; comma-separated`)
    .option('--type <type>')
    .option('--queue <queue>')
    .option('--batch <id>', 'tasks that were submitted together')
    .option('--created-after <instant>', 'an instant, or a time ago such as 2h', instant)
    .option('--created-before <instant>', 'an instant, or a time ago such as 2h', instant)
}

/** The filters under the names that the server knows. */
export function filterQuery({ status, type, queue, batch, createdAfter, createdBefore }: Filters) {
  return { status, type, queue, batchId: batch, createdAfter, createdBefore }
}
