import { useSyncExternalStore } from 'react'

let nowMs = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setTimeout> | undefined

/** The time, once a second while the tab is seen: one clock for all that shows ages. */
export function useNow(): number {
  return useSyncExternalStore(listen, () => nowMs)
}

function listen(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) tick()
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0 || timer === undefined) return
    clearTimeout(timer)
    timer = undefined
  }
}

function tick(): void {
  if (document.visibilityState === 'visible') {
    nowMs = Date.now()
    for (const listener of listeners) listener()
  }
  timer = setTimeout(tick, 1_000)
}
