import { useEffect, useRef, useState } from 'react'

export type Selection = {
  ids: ReadonlySet<string>
  count: number
  /** Every row that is shown is selected. */
  isWhole: boolean
  /** Not the rows are meant, but all tasks that the filter chooses. */
  isAllThatMatch: boolean
  takeAllThatMatch: () => void
  has: (id: string) => boolean
  /** With `isRange`, all rows between this one and the one before it that was toggled. */
  toggle: (id: string, isRange: boolean) => void
  toggleAll: () => void
  clear: () => void
}

/** Which of the rows are selected. Another list (`name`) begins with none. */
export function useSelection(name: string, shown: readonly string[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const [isAll, setAll] = useState(false)
  const anchor = useRef<string>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: begins anew with another list
  useEffect(() => change(new Set()), [name])
  const change = (next: ReadonlySet<string>) => {
    setIds(next)
    setAll(false)
  }
  const toggle = (id: string, isRange: boolean) => {
    change(toggled(ids, isRange ? between(shown, anchor.current, id) : [id], !ids.has(id)))
    anchor.current = id
  }
  const isWhole = shown.length > 0 && shown.every((id) => ids.has(id))
  return {
    ids,
    count: ids.size,
    isWhole,
    isAllThatMatch: isAll,
    takeAllThatMatch: () => setAll(true),
    has: (id) => ids.has(id),
    toggle,
    toggleAll: () => change(isWhole ? new Set() : new Set(shown)),
    clear: () => change(new Set()),
  }
}

export function between(shown: readonly string[], from: string | undefined, to: string): readonly string[] {
  const ends = [from === undefined ? -1 : shown.indexOf(from), shown.indexOf(to)]
  if (ends.includes(-1)) return [to]
  return shown.slice(Math.min(...ends), Math.max(...ends) + 1)
}

function toggled(ids: ReadonlySet<string>, some: readonly string[], on: boolean): ReadonlySet<string> {
  const next = new Set(ids)
  for (const id of some)
    if (on) next.add(id)
    else next.delete(id)
  return next
}
