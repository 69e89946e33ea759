import type { Check } from './evidence.ts'
import type { Count } from './snapshot.ts'

/** 5: what is counted as it happens is what can be counted afterwards. */
export const counting: Check = function* ({ database }) {
  const promise = '5 counts are exact'
  const kept = byPlace(database.kept)
  const real = byPlace(database.tasks.map((task) => ({ ...task, n: 1 })))
  for (const place of new Set([...kept.keys(), ...real.keys()])) {
    const [is, says] = [real.get(place) ?? 0, kept.get(place) ?? 0]
    if (is !== says) yield { promise, saw: `${is} tasks are ${place}, and the counters say ${says}` }
  }
  const listed = new Set(database.stopped.map(({ id, status }) => `${status} ${id}`))
  for (const { id, status } of database.tasks) {
    if (status === 'completed' || (status !== 'failed' && status !== 'canceled')) continue
    if (!listed.has(`${status} ${id}`)) yield { promise, id, saw: `is ${status} and not listed as such` }
  }
}

function byPlace(counts: readonly Count[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { queue, type, status, n } of counts) {
    const place = `${status} with type ${type} in queue ${queue}`
    sums.set(place, (sums.get(place) ?? 0) + n)
  }
  return sums
}
