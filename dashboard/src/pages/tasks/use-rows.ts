import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { TaskFilter, TaskPage } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'
import { useLive } from '../../live/live.ts'
import type { Filter } from './filter/fields.ts'
import {
  opened,
  patched,
  type RowWindow,
  refreshed,
  withNewer,
  withOlder,
  withWaiting,
} from './row-window.ts'

const pageSize = 100
/** More are not counted: who has missed so many looks anew. */
const mostCounted = 100
const mostPatched = 200
/** Where no task is newer: a page that begins here says how to go on to what comes. */
const endOfTime = '9990-01-01T00:00:00Z'

export type Rows = {
  window: RowWindow | undefined
  error: Error | undefined
  isReading: 'first' | 'older' | 'newer' | undefined
  showOlder: () => void
  showNewer: () => void
  /** Puts the newest rows above those that are there. */
  showWaiting: () => void
  retry: () => void
  /** Tells which rows are in view, so that those are kept as they are now. */
  see: (from: number, to: number) => void
}

type What = { filter: Filter; at: string | undefined; isPaused: boolean }

/** Windows that were left, so that going back finds them as they were. */
const kept = new Map<string, RowWindow>()
const mostKept = 8

/** The tasks of a filter: pages at both ends, what is in view as it is now, and how many have come since. */
export function useRows({ filter, at, isPaused }: What): Rows {
  const name = JSON.stringify([filter, at])
  const [held, hold] = useState<{ name: string; window: RowWindow | undefined }>({
    name,
    window: kept.get(name),
  })
  const [error, setError] = useState<Error>()
  const [isReading, setReading] = useState<Rows['isReading']>()
  const seen = useRef({ from: 0, to: 0 })
  const window = held.name === name ? held.window : kept.get(name)
  const latest = useRef({ name, window })
  latest.current = { name, window }
  const read = useRead(filter)

  const change = useCallback((ofName: string, next: (window: RowWindow) => RowWindow) => {
    const { name: nowName, window: now } = latest.current
    if (ofName !== nowName || now === undefined) return
    const changed = next(now)
    if (changed === now) return
    keep(ofName, changed)
    latest.current = { name: ofName, window: changed }
    hold({ name: ofName, window: changed })
  }, [])

  const run = async (what: Rows['isReading'], call: () => Promise<void>) => {
    setReading(what)
    try {
      await call()
      setError(undefined)
    } catch (failure) {
      setError(failure instanceof Error ? failure : new Error(String(failure)))
    } finally {
      setReading(undefined)
    }
  }

  const open = () =>
    run('first', async () => {
      const first = opened(await read({ limit: pageSize, at: at ?? endOfTime }))
      keep(name, first)
      hold({ name, window: first })
    })
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again for another filter only
  useEffect(() => {
    if (kept.get(name) === undefined) void open()
  }, [name])

  usePatches({ name, window: latest, seen, isPaused, isFollowing: at === undefined, read, change, setError })

  const more = (what: 'older' | 'newer', grown: (window: RowWindow, page: TaskPage) => RowWindow) => {
    const cursor = window?.[what]
    if (cursor == null || isReading) return
    void run(what, async () => {
      const page = await read({ limit: pageSize, cursor })
      change(name, (now) => (now[what] === cursor ? grown(now, page) : now))
    })
  }
  return {
    window,
    error,
    isReading,
    showOlder: () => more('older', withOlder),
    showNewer: () => more('newer', withNewer),
    showWaiting: () =>
      void run('newer', async () => {
        const page = await read({ limit: Math.max(pageSize, mostPatched), at: endOfTime })
        change(name, (now) => refreshed(now, page))
      }),
    retry: () => void open(),
    see: (from, to) => {
      seen.current = { from, to }
    },
  }
}

function keep(name: string, window: RowWindow): void {
  kept.delete(name)
  kept.set(name, window)
  for (const oldest of [...kept.keys()].slice(0, -mostKept)) kept.delete(oldest)
}

/** Reads through the cache of queries, whose listeners hear of a key that is missing. */
function useRead(filter: Filter) {
  const queries = useQueryClient()
  return (where: TaskFilter) => {
    const asked = (where.ids ? where : { ...filter, ...where }) as TaskFilter
    return queries.fetchQuery({
      queryKey: ['tasks', 'page', asked],
      queryFn: () => api().page(asked),
      staleTime: 0,
      gcTime: 0,
    })
  }
}

type Patching = {
  name: string
  window: { current: { window: RowWindow | undefined } }
  seen: { current: { from: number; to: number } }
  isPaused: boolean
  isFollowing: boolean
  read: (where: TaskFilter) => Promise<TaskPage>
  change: (name: string, next: (window: RowWindow) => RowWindow) => void
  setError: (error: Error | undefined) => void
}

/** With each word of the server's that something happened: what is in view as it is now, and how much is new. */
function usePatches(patching: Patching): void {
  const { heardAtMs, connection } = useLive()
  const isBusy = useRef(false)
  const latest = useRef(patching)
  latest.current = patching
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each word of the server's
  useEffect(() => {
    if (isBusy.current || patching.isPaused || document.visibilityState !== 'visible') return
    isBusy.current = true
    void patch(latest.current)
      .catch(() => {})
      .finally(() => {
        isBusy.current = false
      })
  }, [heardAtMs, connection, patching.isPaused, patching.name])
}

async function patch({
  name,
  window: held,
  seen,
  isFollowing,
  read,
  change,
  setError,
}: Patching): Promise<void> {
  const { window } = held.current
  if (window === undefined) return
  const ids = window.rows.slice(seen.current.from, seen.current.to + 1).map(({ id }) => id)
  const asked = ids.filter((id) => !window.gone.has(id)).slice(0, mostPatched)
  const changes = asked.length === 0 ? undefined : read({ ids: asked })
  const isCounting = isFollowing && !window.hasMoreWaiting
  const news = isCounting ? newsOf(window, read) : undefined
  const [found, arrived] = await Promise.all([changes, news])
  setError(undefined)
  if (found) change(name, (now) => patched(now, asked, found.data))
  if (arrived) change(name, arrived)
}

/** Where there was no row, none can be moved: what has come is shown at once. */
async function newsOf(window: RowWindow, read: Patching['read']) {
  if (window.rows.length === 0) {
    const page = await read({ limit: pageSize, at: endOfTime })
    return (now: RowWindow) => (now.rows.length === 0 && page.data.length > 0 ? opened(page) : now)
  }
  if (window.newer === null) return undefined
  const cursor = window.newer
  const page = await read({ limit: mostCounted, cursor })
  return (now: RowWindow) => (now.newer === cursor ? withWaiting(now, page) : now)
}
