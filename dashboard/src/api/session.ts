import { useSyncExternalStore } from 'react'
import { MillraceError } from '../../../src/client/index.ts'

let wanted = false
const listeners = new Set<() => void>()

/** Whether the API has refused a call for want of a key. */
export function useIsKeyWanted(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => wanted,
  )
}

export function setKeyWanted(next: boolean): void {
  if (wanted === next) return
  wanted = next
  for (const listener of listeners) listener()
}

/** Looks whether a call failed for want of a key; then the page asks for one. */
export function noticeRefusal(error: unknown): void {
  if (error instanceof MillraceError && error.status === 401) setKeyWanted(true)
}
