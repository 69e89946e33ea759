import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import type { History } from '../../../../src/client/index.ts'
import { api } from '../../api/client.ts'

export type Point = History['points'][number]

export const ranges = ['15m', '1h', '24h', '7d'] as const
export type Range = (typeof ranges)[number]

/** The span that is looked at: the last hours or days, or one that was dragged out of a chart. */
export type Span = { range: Range } | { from: string; to: string }

/** Out of the address, so that it can be sent to somebody. */
export function useSpan(): Span {
  const { range, from, to } = useSearch({ strict: false })
  if (from !== undefined && to !== undefined) return { from, to }
  return { range: ranges.find((known) => known === range) ?? '1h' }
}

/** What is counted every ten seconds says little about a step that has just begun. */
const tellingMs = 30_000

/** Without the present step while it is young: it would look like a fall. */
function over(history: History): History {
  const points = history.points.filter(({ at }) => secondsOf(at, history.stepMs) * 1_000 >= tellingMs)
  return { ...history, points }
}

/** How much of a step has passed. */
export function secondsOf(at: string, stepMs: number): number {
  return Math.min(stepMs, Date.now() - Date.parse(at)) / 1_000
}

const everyMs = 10_000

/** `select`: what of it is wanted, all that can be drawn unless told. */
export function useHistory(span: Span, select: (history: History) => History = over) {
  return useQuery({
    queryKey: ['history', span],
    queryFn: () => api().history(span),
    select,
    // What is over does not change.
    refetchInterval: 'range' in span && everyMs,
    placeholderData: (before) => before,
  })
}
