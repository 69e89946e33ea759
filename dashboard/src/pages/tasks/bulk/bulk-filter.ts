import type { BulkAction, BulkFilter, Status } from '../../../../../src/client/index.ts'
import type { Filter } from '../filter/fields.ts'

/** The statuses in which it can be done to a task. */
export const statusesFor: Record<BulkAction['action'], readonly Status[]> = {
  cancel: ['scheduled', 'pending', 'processing'],
  retry: ['failed', 'canceled'],
  delete: ['completed', 'failed', 'canceled'],
}

/** The filter of a list, without the statuses in which there is nothing to do. */
export function bulkFilterOf(action: BulkAction['action'], { status, ...rest }: Filter): BulkFilter {
  const wanted = status?.split(',') ?? statusesFor[action]
  return { ...rest, status: statusesFor[action].filter((one) => wanted.includes(one)) }
}

/** Whether the filter leaves a status in which it can be done. */
export function isPossible(action: BulkAction['action'], filter: Filter): boolean {
  return bulkFilterOf(action, filter).status?.length !== 0
}
