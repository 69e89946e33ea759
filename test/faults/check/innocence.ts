import type { Check, Guilt, Story, Violation } from './evidence.ts'
import type { TaskRow } from './snapshot.ts'

const promise = '7 who kills its process fails alone'
const innocent: Guilt = { failures: 0, ends: 'completed' }

/** 7: what fails is what does wrong, and as often as it does wrong; what never does is never told to have failed. */
export const innocence: Check = function* ({ guilty }, stories) {
  for (const story of stories.values())
    if (story.row) yield* judged(story, story.row, guilty[story.row.type] ?? innocent)
}

function* judged({ id, failedAttempts, retries }: Story, row: TaskRow, guilt: Guilt): Iterable<Violation> {
  const { type, status, errorName } = row
  if (status === 'failed' && guilt.ends === 'completed') {
    yield { promise, id, tally: 'innocentsFailed', saw: `of type ${type} failed with ${errorName}` }
  } else if (failedAttempts.size > guilt.failures * (1 + retries.length)) {
    const saw = `of type ${type} has ${failedAttempts.size} failed attempts, more than are its own doing`
    yield { promise, id, tally: 'innocentsFailed', saw }
  }
  if (status === 'completed' && guilt.ends === 'failed')
    yield { promise, id, saw: `of type ${type} completed, which it never does` }
  if (status === 'failed' && guilt.error !== undefined && errorName !== guilt.error)
    yield { promise, id, saw: `of type ${type} failed with ${errorName} instead of ${guilt.error}` }
}
