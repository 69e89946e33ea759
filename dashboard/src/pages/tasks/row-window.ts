import type { TaskPage, TaskSummary } from '../../../../src/client/index.ts'

/** The rows that are shown, newest first, and what is known of those around them. */
export type RowWindow = {
  rows: readonly TaskSummary[]
  /** Cursors of what comes before and after the rows; null where nothing does. */
  older: string | null
  newer: string | null
  /** How many rows have come above the first one since. They wait until somebody asks for them. */
  waiting: number
  /** There are more than those. */
  hasMoreWaiting: boolean
  /** Ids of rows that are no longer there. */
  gone: ReadonlySet<string>
}

export function opened({ data, page }: TaskPage): RowWindow {
  return {
    rows: data,
    older: page.next,
    newer: page.prev,
    waiting: 0,
    hasMoreWaiting: false,
    gone: new Set(),
  }
}

export function withOlder(window: RowWindow, { data, page }: TaskPage): RowWindow {
  return { ...window, rows: [...window.rows, ...unknownTo(window, data)], older: page.next }
}

export function withNewer(window: RowWindow, { data, page }: TaskPage): RowWindow {
  return { ...window, rows: [...unknownTo(window, data), ...window.rows], newer: page.prev }
}

/** `page` is what is newer than the first row. */
export function withWaiting(window: RowWindow, { data, page }: TaskPage): RowWindow {
  const waiting = unknownTo(window, data).length
  const hasMoreWaiting = page.prev !== null && data.length > 0
  if (waiting === window.waiting && hasMoreWaiting === window.hasMoreWaiting) return window
  return { ...window, waiting, hasMoreWaiting }
}

/** `page` is the newest page; what of the rows follows on it stays. */
export function refreshed(window: RowWindow, page: TaskPage): RowWindow {
  const fresh = opened(page)
  const last = page.data.at(-1)
  const overlap = last === undefined ? -1 : window.rows.findIndex(({ id }) => id <= last.id)
  const meets = window.rows.findIndex(({ id }) => page.data.some((row) => row.id === id))
  if (meets === -1) return fresh
  const rest = overlap === -1 ? [] : window.rows.slice(overlap).filter(({ id }) => id !== last?.id)
  // Without a next page there is nothing after this one, whatever was there before.
  if (page.page.next === null) return fresh
  return {
    ...fresh,
    rows: [...page.data, ...rest],
    older: rest.length > 0 ? window.older : fresh.older,
    gone: window.gone,
  }
}

/** The rows as they are now; of those that were asked for and not found it is known that they are gone. */
export function patched(window: RowWindow, ids: readonly string[], found: readonly TaskSummary[]): RowWindow {
  const byId = new Map(found.map((row) => [row.id, row]))
  const missing = ids.filter((id) => !byId.has(id) && !window.gone.has(id))
  let isSame = missing.length === 0
  const rows = window.rows.map((row) => {
    const now = byId.get(row.id)
    if (now === undefined || isLike(row, now)) return row
    isSame = false
    return now
  })
  return isSame ? window : { ...window, rows, gone: new Set([...window.gone, ...missing]) }
}

function isLike(a: TaskSummary, b: TaskSummary): boolean {
  return (
    a.status === b.status &&
    a.attempt === b.attempt &&
    a.startedAt === b.startedAt &&
    a.finishedAt === b.finishedAt &&
    a.runAt === b.runAt &&
    a.workerId === b.workerId
  )
}

function unknownTo({ rows }: RowWindow, data: readonly TaskSummary[]): readonly TaskSummary[] {
  const known = new Set(rows.map(({ id }) => id))
  return data.filter(({ id }) => !known.has(id))
}
