import type { Check } from './evidence.ts'

/** A batch says what has become of its tasks, as counting them does, and is finished once all are final. */
export const batchCounting: Check = function* ({ database }) {
  const promise = '5 counts are exact'
  for (const { id, real, kept, isFinished } of database.batches) {
    if (real !== kept)
      yield { promise, saw: `batch ${id} has the tasks "${real}", and its counters say "${kept}"` }
    if (!isFinished) yield { promise, saw: `batch ${id} is not finished when all tasks are final` }
  }
}

/** What is to come when a batch is finished comes, and once. */
export const sequels: Check = function* ({ database }) {
  for (const { id, hasThen, thens } of database.batches) {
    if (!hasThen || thens === 1) continue
    yield { promise: 'what comes after a batch comes once', saw: `after batch ${id} it came ${thens} times` }
  }
}

/** Who wants to be told of the end of a task or a batch is told, once at least. */
export const telling: Check = function* ({ client, rig }) {
  const told = new Set(rig.flatMap((line) => (line.what === 'told' ? [line.id] : [])))
  for (const line of client) {
    if (line.what !== 'submitted') continue
    for (const id of line.called ?? []) {
      if (!told.has(id))
        yield { promise: 'who is to be told of an end is told', id, saw: 'has ended, and nobody was told' }
    }
  }
}
