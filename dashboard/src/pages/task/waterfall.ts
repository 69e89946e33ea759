import type { Span, Timeline } from '../../../../src/client/index.ts'

/** A tick of the axis, and a moment on it. `at` is a share of the axis, from 0 to 1. */
export type Tick = { at: number; label: string }

export type Bar = {
  key: string
  kind: Span['kind']
  label: string
  /** Shares of the axis. */
  from: number
  to: number
  lengthMs: number
  /** It goes on. */
  isOpen: boolean
  span: Span
}

export type Moment = { kind: string; at: number; instant: string; sinceStartMs: number }

export type Waterfall = {
  ticks: readonly Tick[]
  bars: readonly Bar[]
  moments: readonly Moment[]
  /** Where now is, if the task is not final; 1 at the end of the axis. */
  now: number | undefined
  totalMs: number
}

/** Lays the life of a task out on one axis, from its submission to its end, or to now, or to when it is due. */
export function waterfallOf({ spans, marks, now }: Timeline, label: (ms: number) => string): Waterfall {
  const nowMs = Date.parse(now)
  const isOpen = spans.some(({ to }) => to === null)
  const instants = [
    ...marks.map(({ at }) => Date.parse(at)),
    ...spans.flatMap(({ from, to }) => [Date.parse(from), to === null ? nowMs : Date.parse(to)]),
  ].filter((ms) => !Number.isNaN(ms))
  const startMs = instants.length > 0 ? Math.min(...instants) : nowMs
  const totalMs = Math.max(1, Math.max(...instants, startMs) - startMs)
  const share = (ms: number) => Math.max(0, Math.min(1, (ms - startMs) / totalMs))
  return {
    ticks: ticksOf(totalMs, label),
    bars: spans.map((span, i) => {
      const fromMs = Date.parse(span.from)
      const toMs = span.to === null ? Math.max(fromMs, nowMs) : Date.parse(span.to)
      return {
        key: `${i}`,
        kind: span.kind,
        label: labelOf(span),
        from: share(fromMs),
        to: share(toMs),
        lengthMs: Math.max(0, toMs - fromMs),
        isOpen: span.to === null,
        span,
      }
    }),
    moments: marks.map(({ kind, at }) => {
      const ms = Date.parse(at)
      return { kind, at: share(ms), instant: at, sinceStartMs: ms - startMs }
    }),
    now: isOpen ? share(nowMs) : undefined,
    totalMs,
  }
}

function labelOf({ kind, attempt }: Span): string {
  if (kind === 'attempt') return `Attempt ${attempt}`
  return kind === 'backoff' ? 'Back-off' : 'Waiting'
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const steps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((n) => n * day),
]
const mostTicks = 6

/** Ticks at round distances from the start, the start included. */
export function ticksOf(totalMs: number, label: (ms: number) => string): Tick[] {
  const stepMs = steps.find((step) => totalMs / step <= mostTicks) ?? totalMs / mostTicks
  const count = Math.floor(totalMs / stepMs) + 1
  return Array.from({ length: count }, (_, i) => ({ at: (i * stepMs) / totalMs, label: label(i * stepMs) }))
}
