import { useSyncExternalStore } from 'react'
import type { Filter } from './filter/fields.ts'
import { filterIn, textOf } from './filter/tokens.ts'

export type View = { name: string; filter: Filter }

const place = 'millrace.views'
const mostViews = 50

/** The views that everybody has. */
export const givenViews: readonly View[] = [
  { name: 'All', filter: {} },
  { name: 'Failed', filter: { status: 'failed' } },
  { name: 'Running', filter: { status: 'processing' } },
  { name: 'Waiting', filter: { status: 'pending' } },
  { name: 'Due later', filter: { status: 'scheduled' } },
]

const listeners = new Set<() => void>()
let views: readonly View[] | undefined

/** The views that this browser keeps, in every tab the same. */
export function useSavedViews(): readonly View[] {
  return useSyncExternalStore(listen, current)
}

export function saveView(name: string, filter: Filter): void {
  set([...current().filter((view) => view.name !== name), { name, filter }].slice(-mostViews))
}

export function forgetView(name: string): void {
  set(current().filter((view) => view.name !== name))
}

export function isSameFilter(a: Filter, b: Filter): boolean {
  return textOf(a) === textOf(b)
}

function current(): readonly View[] {
  views ??= read()
  return views
}

/** Whatever is there: another version may have written it, or somebody by hand. */
function read(): readonly View[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? '[]')
    return Array.isArray(kept) ? kept.flatMap(viewOf).slice(0, mostViews) : []
  } catch {
    return []
  }
}

function viewOf(kept: unknown): View[] {
  const { name, filter } = Object(kept)
  if (typeof name !== 'string' || name === '' || typeof filter !== 'object') return []
  const texts = Object.entries(Object(filter)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return [{ name, filter: filterIn(Object.fromEntries(texts)) }]
}

function set(next: readonly View[]): void {
  views = next
  try {
    localStorage.setItem(place, JSON.stringify(next))
  } catch {
    // Without a place to keep them they last as long as the tab.
  }
  for (const listener of listeners) listener()
}

function listen(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent) => {
    if (key !== place) return
    views = undefined
    listener()
  }
  listeners.add(listener)
  addEventListener('storage', onStorage)
  return () => {
    listeners.delete(listener)
    removeEventListener('storage', onStorage)
  }
}
