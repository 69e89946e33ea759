import type { Check } from './evidence.ts'
import { isFinal } from './sightings.ts'

/** 1: what was answered with an id is stored. */
export const survival: Check = function* (_evidence, stories) {
  for (const { id, isAccepted, row, attempts } of stories.values()) {
    const promise = '1 an accepted task survives'
    if (isAccepted && !row) yield { promise, id, tally: 'lost', saw: 'was accepted and is not stored' }
    else if (!row && attempts.length > 0)
      yield { promise, id, tally: 'lost', saw: 'was run and is not stored' }
  }
}

/** 2: when the faults have ended and everything has had its time, nothing is left to do. */
export const completion: Check = function* ({ database }) {
  const promise = '2 every task becomes final'
  for (const { id, type, status, attempt } of database.tasks) {
    if (isFinal(status)) continue
    yield { promise, id, tally: 'lost', saw: `of type ${type} is still ${status} at attempt ${attempt}` }
  }
  for (const { id, heldBy } of database.packets) {
    const where = heldBy === null ? 'is waiting' : `is held by worker ${heldBy}`
    yield { promise, saw: `packet ${id} ${where} when all tasks should be final` }
  }
}
