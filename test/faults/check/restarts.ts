import {
  type Attempt,
  type Check,
  type Evidence,
  isUnknown,
  mayHaveComeBetween,
  type Story,
} from './evidence.ts'
import { isExplained, type Strike, strikesOf } from './strikes.ts'

/** At-least-once is for faults: an attempt that neither failed nor was retried is followed by another only after one. */
export const restarts: Check = function* (evidence, stories) {
  const strikes = strikesOf(evidence.rig)
  for (const story of stories.values()) {
    for (const { cut, again } of repeatedStarts(story)) {
      if (hasReason(evidence, strikes, { cut, again })) continue
      const saw = `attempt ${cut.attempt} on ${cut.member} was followed by ${again.attempt} on ${again.member}, and no fault did it`
      yield { promise: 'a repeated start has a reason', id: story.id, saw }
    }
  }
}

export type Repeat = { cut: Attempt; again: Attempt }

/** Pairs of attempts of which the second started though the first had not failed and no client asked for it. */
export function* repeatedStarts(story: Story): Iterable<Repeat> {
  let retries = story.retries
  for (const [i, again] of story.attempts.entries()) {
    const cut = story.attempts[i - 1]
    if (!cut || hasFailed(story, cut, again)) continue
    const retry = retries.find((one) => mayHaveComeBetween(one, cut.startedAt, again.startedAt))
    if (!retry) yield { cut, again }
    else if (!isUnknown(retry)) retries = retries.filter((one) => one !== retry) // it explains one start
  }
}

function hasFailed({ failedAttempts }: Story, cut: Attempt, again: Attempt): boolean {
  return failedAttempts.has(cut.attempt) && again.attempt === cut.attempt + 1
}

/** Where numbers are missing between the two, somebody unknown had claimed the task and never started it. */
function hasReason({ leaseMs }: Evidence, strikes: readonly Strike[], { cut, again }: Repeat): boolean {
  const member = again.attempt === cut.attempt + 1 ? cut.member : undefined
  const span = { from: cut.startedAt, to: again.startedAt, lastsMs: 2 * leaseMs }
  return isExplained(strikes, { ...span, member, effects: ['restarts'] })
}
