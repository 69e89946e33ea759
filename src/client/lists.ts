import type { Call } from './http.ts'
import type { TaskFilter, TaskPage, TaskScope, TaskSummary } from './task.ts'

/** The looks at many tasks, newest first. */
export function listing(ask: (call: Call) => Promise<TaskPage>) {
  return { list, page, pages }

  /** Task after task to the last one; the next page is asked for when it is needed. */
  async function* list(filter: TaskFilter = {}): AsyncGenerator<TaskSummary, void, undefined> {
    for await (const { data } of pages(filter)) yield* data
  }

  async function* pages(filter: TaskFilter = {}): AsyncGenerator<TaskPage, void, undefined> {
    let cursor = filter.cursor
    do {
      const found = await page(cursor === undefined ? filter : { ...filter, cursor })
      yield found
      cursor = found.page.next ?? undefined
    } while (cursor !== undefined)
  }

  function page(filter: TaskFilter = {}): Promise<TaskPage> {
    return ask({ path: '/tasks', query: queryOf(filter), repeatable: true })
  }
}

function queryOf({ include, ids, at, limit, cursor, ...scope }: TaskFilter) {
  return {
    ...scopeQuery(scope),
    limit,
    cursor,
    at: instant(at),
    ids: ids?.join(','),
    include: include?.join(','),
  }
}

/** The scope as texts, under the names that the server knows. */
export function scopeQuery({ status, createdAfter, createdBefore, ...rest }: TaskScope) {
  return {
    ...rest,
    status: typeof status === 'string' ? status : status?.join(','),
    createdAfter: instant(createdAfter),
    createdBefore: instant(createdBefore),
  }
}

function instant(at: string | Date | undefined): string | undefined {
  return at instanceof Date ? at.toISOString() : at
}
