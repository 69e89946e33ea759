import { useEffect, useRef, useSyncExternalStore } from 'react'

export type Hotkey = {
  /** One key or two after each other: `?`, `mod+k`, `g o`. `mod` is ⌘ on a Mac and Ctrl elsewhere. */
  keys: string
  label: string
  /** The heading under which `?` lists it. */
  group: string
  run: () => void
}

/** The time in which the second key of a pair must come. */
const pairMs = 1_200

let registered: readonly (readonly Hotkey[])[] = []
const listeners = new Set<() => void>()
let first = { key: '', atMs: 0 }

/** Keys that work while the component is there. Not while somebody types, or a dialog is open. */
export function useHotkeys(hotkeys: readonly Hotkey[]): void {
  const latest = useRef(hotkeys)
  latest.current = hotkeys
  const names = hotkeys.map(({ keys }) => keys).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: registered anew when the keys are others
  useEffect(() => {
    const own = latest.current.map((hotkey, i) => ({ ...hotkey, run: () => latest.current[i]?.run() }))
    set([...registered, own])
    return () => set(registered.filter((others) => others !== own))
  }, [names])
}

/** All that work now. */
export function useHotkeyList(): readonly Hotkey[] {
  const groups = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => registered,
  )
  return groups.flat()
}

function set(next: readonly (readonly Hotkey[])[]): void {
  registered = next
  for (const listener of listeners) listener()
}

/** Called with every key of the page, once. */
export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return
  const key = nameOf(event)
  const isChord = event.ctrlKey || event.metaKey
  if (!isChord && (isTyping(event.target) || isDialogOpen())) return
  const hotkeys = registered.flat().toReversed()
  const isPair = !isChord && event.timeStamp - first.atMs < pairMs
  const found =
    (isPair && hotkeys.find(({ keys }) => keys === `${first.key} ${key}`)) ||
    hotkeys.find(({ keys }) => keys === key)
  first = { key, atMs: event.timeStamp }
  if (!found) return
  event.preventDefault()
  first = { key: '', atMs: 0 }
  found.run()
}

function nameOf({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): string {
  if (altKey) return ''
  return ctrlKey || metaKey ? `mod+${key.toLowerCase()}` : key
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

function isDialogOpen(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog]') !== null
}
