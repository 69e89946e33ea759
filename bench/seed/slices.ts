/** A span of time with its tasks. */
export type Slice = { fromMs: number; toMs: number; tasks: number; isByMinute: boolean }

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const dayMs = 24 * 60 * minuteMs

/** Spans from days ago until now, busier by day than by night: minutes in the last day, quarters of an hour before. */
export function slicesOf(tasks: number, { days, nowMs }: { days: number; nowMs: number }): Slice[] {
  const spans: Omit<Slice, 'tasks'>[] = []
  const endMs = Math.floor(nowMs / minuteMs) * minuteMs
  let fromMs = Math.floor((nowMs - days * dayMs) / quarterMs) * quarterMs
  while (fromMs < endMs) {
    const isByMinute = fromMs >= endMs - dayMs - quarterMs
    const toMs = Math.min(endMs, fromMs + (isByMinute ? minuteMs : quarterMs))
    spans.push({ fromMs, toMs, isByMinute })
    fromMs = toMs
  }
  const weights = spans.map(({ fromMs, toMs }) => ((toMs - fromMs) / minuteMs) * busyAt(fromMs))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  let [heavy, given] = [0, 0]
  return spans.map((span, n) => {
    heavy += weights[n]!
    const upTo = Math.round((tasks * heavy) / whole)
    const slice = { ...span, tasks: upTo - given }
    given = upTo
    return slice
  })
}

/** 1 on average, with a wave of a day and ripples. */
export function busyAt(ms: number): number {
  const day = Math.sin(((ms % dayMs) / dayMs - 0.3) * 2 * Math.PI)
  const ripple = Math.sin(ms / (11 * minuteMs)) * 0.08 + Math.sin(ms / (97 * minuteMs)) * 0.12
  return Math.max(0.15, 1 + 0.6 * day + ripple)
}
