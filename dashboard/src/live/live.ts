import { useSyncExternalStore } from 'react'
import type { Snapshot, Stats } from '../../../src/client/index.ts'
import { shareAmongTabs } from './share.ts'
import { watch } from './watch.ts'

/**
 * How the page learns what happens: `live`, told by the server; `polling`, it asks now and then, because the stream does not
 * come through; `away`, nobody answers and it tries again.
 */
export type Connection = 'connecting' | 'live' | 'polling' | 'away'

export type Live = {
  connection: Connection
  /** The latest that was heard; it stays while the server is away. */
  stats: (Stats & Partial<Snapshot>) | undefined
  /** When that was. */
  heardAtMs: number
}

let state: Live = { connection: 'connecting', stats: undefined, heardAtMs: 0 }
const listeners = new Set<() => void>()
let sharing: { restart(): void } | undefined

/** Counts, rates and queues as they are now, for the whole page and all its tabs over one connection. */
export function useLive(): Live {
  return useSyncExternalStore(listen, () => state)
}

export function useStats(): Stats | undefined {
  return useSyncExternalStore(listen, () => state.stats)
}

/** Connects again: with another key, or because somebody does not want to wait. */
export function reconnect(): void {
  sharing?.restart()
}

/** Called once, when the page begins. */
export function startLive(): void {
  sharing ??= shareAmongTabs<Live>({
    name: 'millrace-live',
    produce: watch,
    receive: (next) => {
      state = next
      for (const listener of listeners) listener()
    },
  })
}

function listen(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
