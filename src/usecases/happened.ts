import { sumOf } from '../domain/histogram.ts'
import type { Happened, HappenedInMinute, HappenedStore } from '../domain/metric.ts'

const minuteMs = 60_000
/** Who has not asked for so long begins anew: its counters have stood still meanwhile. */
const longestMs = 60 * minuteMs
/** Clients choose the names of queues and types, so a few are told apart and the rest are one. */
const mostPairs = 100
/** No name can have these characters. */
export const others = '(other)'

/**
 * Counts what happens from the first call on, to numbers that only grow. The roll-ups have it by the minute, and the last
 * minutes still change: what they had when they were last read is not counted again.
 */
export function countingHappened({ since }: HappenedStore): () => Promise<Happened[]> {
  const totals = new Map<string, Happened>()
  let open = new Map<string, HappenedInMinute>()
  let sinceMs: number | null = null
  let turn: Promise<unknown> = Promise.resolve()

  return () => {
    const counted = turn.then(count)
    turn = counted.catch(() => {})
    return counted
  }

  async function count(): Promise<Happened[]> {
    const { nowMs, minutes } = await since(sinceMs)
    const isNew = sinceMs === null || nowMs - sinceMs > longestMs
    if (!isNew) for (const row of minutes) add(row, open.get(keyOf(row, row.minuteMs)))
    // What is written at the end of a minute may be committed in the next one.
    sinceMs = Math.floor(nowMs / minuteMs) * minuteMs - minuteMs
    const kept = minutes.filter((row) => row.minuteMs >= sinceMs!)
    open = new Map(kept.map((row) => [keyOf(row, row.minuteMs), row]))
    return [...totals.values()]
  }

  function add(row: HappenedInMinute, before: HappenedInMinute = nothing) {
    const total = totalOf(row)
    for (const name of ['submitted', 'completed', 'failed', 'canceled'] as const)
      total[name] += Math.max(0, row[name] - before[name])
    total.waiting = sumOf(total.waiting, grown(row.waiting, before.waiting))
    total.running = sumOf(total.running, grown(row.running, before.running))
  }

  function totalOf({ queue, type }: Happened): Happened {
    const known = totals.get(keyOf({ queue, type }))
    if (known) return known
    const names = totals.size < mostPairs ? { queue, type } : { queue: others, type: others }
    const total = totals.get(keyOf(names)) ?? { ...nothing, ...names }
    totals.set(keyOf(names), total)
    return total
  }
}

const nothing = {
  minuteMs: 0,
  ...{ queue: '', type: '', submitted: 0, completed: 0, failed: 0, canceled: 0 },
  waiting: [],
  running: [],
}

const keyOf = ({ queue, type }: { queue: string; type: string }, minuteMs = 0) =>
  `${minuteMs} ${queue} ${type}`

const grown = (now: readonly number[], before: readonly number[]) =>
  now.map((count, n) => Math.max(0, count - (before[n] ?? 0)))
