import type { Command } from 'commander'
import { instant } from './amounts.ts'

/** The options that say which tasks are meant. */
export type Filters = {
  status?: string
  type?: string
  queue?: string
  key?: string
  batch?: string
  worker?: string
  fingerprint?: string
  age?: string
  createdAfter?: string
  createdBefore?: string
}

export function withFilters(command: Command, statuses: readonly string[]): Command {
  return command
    .option('--status <list>', `${statuses.join(', ')}; comma-separated`)
    .option('--type <type>', 'with a * at its end, all types that begin so')
    .option('--queue <queue>')
    .option('--key <key>', 'whom they are for')
    .option('--batch <id>', 'tasks that were submitted together')
    .option('--worker <id>', 'tasks whose latest attempt this worker runs or ran')
    .option('--fingerprint <hex>', 'failed tasks whose failures are alike')
    .option('--age <age>', 'created less or more than so long ago, such as "<1h" or ">7d"')
    .option('--created-after <instant>', 'an instant, or a time ago such as 2h', instant)
    .option('--created-before <instant>', 'an instant, or a time ago such as 2h', instant)
}

/** The filters under the names that the server knows. */
export function filterQuery(filters: Filters) {
  const { status, type, queue, key, batch, worker, fingerprint, age, createdAfter, createdBefore } = filters
  return {
    status,
    type,
    queue,
    key,
    batchId: batch,
    workerId: worker,
    fingerprint,
    age,
    createdAfter,
    createdBefore,
  }
}
