import type { Call } from './http.ts'
import { scopeQuery } from './lists.ts'
import type { TaskScope } from './task.ts'

/** Something that is done to all tasks that a filter chose when it was created. */
export type BulkAction = {
  id: string
  action: 'cancel' | 'retry' | 'delete'
  filter: Record<string, string | string[]>
  status: 'counting' | 'ready' | 'running' | 'done' | 'aborted' | 'failed'
  /** How many tasks it is for; it grows while they are counted. */
  matched: number
  done: number
  /** Tasks that had moved on, so that it could not be done to them. */
  skipped: number
  ratePerSecond: number | null
  remainingMs: number | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
  error: string | null
}

/** `{}` is all tasks to which it can be done. */
export type BulkFilter = TaskScope & { ids?: readonly string[] }

export type BulkActionPage = { data: BulkAction[]; page: { next: string | null } }

/** Canceling, retrying and deleting many tasks at once. */
export function bulkActionsOf(ask: <Body>(call: Call) => Promise<Body>) {
  const pathOf = (id: string, verb = '') => `/bulk-actions/${encodeURIComponent(id)}${verb}`

  return {
    /** Counts the tasks that there are now; with `start` it begins then, else it waits to be started, for a day. */
    create: (
      action: BulkAction['action'],
      { ids, ...scope }: BulkFilter,
      { start = false }: { start?: boolean } = {},
    ) => {
      const body = JSON.stringify({ action, filter: { ...scopeQuery(scope), ids }, start })
      return ask<BulkAction>({ method: 'POST', path: '/bulk-actions', body, repeatable: false })
    },
    get: (id: string) => ask<BulkAction>({ path: pathOf(id), repeatable: true }),
    /** Newest first. */
    page: (options: { limit?: number; cursor?: string } = {}) =>
      ask<BulkActionPage>({ path: '/bulk-actions', query: options, repeatable: true }),
    start: (id: string) => ask<BulkAction>({ method: 'POST', path: pathOf(id, '/start'), repeatable: true }),
    /** After the answer nothing more is done; what was done stays done. */
    abort: (id: string) => ask<BulkAction>({ method: 'POST', path: pathOf(id, '/abort'), repeatable: true }),
  }
}
