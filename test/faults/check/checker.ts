import { type Recovery, recoveriesOf } from '../trial/recovery.ts'
import { batchCounting, sequels, telling } from './batches.ts'
import { cancellation, startsInTransit } from './cancellation.ts'
import { counting } from './counting.ts'
import { type Check, type Evidence, type Stories, storiesOf, type Tally, type Violation } from './evidence.ts'
import { finality } from './finality.ts'
import { innocence } from './innocence.ts'
import { outages } from './outages.ts'
import { repetition } from './repetition.ts'
import { repeatedStarts, restarts } from './restarts.ts'
import { completion, survival } from './survival.ts'

export type Verdict = {
  violations: Violation[]
  figures: Record<Tally, number> & {
    /** Tasks that are stored or were accepted. */
    tasks: number
    starts: number
    /** Starts that at-least-once explains: the attempt before was cut short by a fault. */
    repeatedStarts: number
    /** Starts of what was claimed before a cancellation and had not begun when it was answered; none is stored. */
    startsInTransit: number
  }
  recoveries: Recovery[]
}

const checks: readonly Check[] = [
  survival,
  completion,
  finality,
  cancellation,
  counting,
  batchCounting,
  sequels,
  telling,
  repetition,
  innocence,
  outages,
  restarts,
]

/** Judges a run by its ledgers and what is stored. No violation means that every promise was kept. */
export function check(evidence: Evidence): Verdict {
  const stories = storiesOf(evidence)
  const violations = checks.flatMap((one) => [...one(evidence, stories)])
  return { violations, figures: figuresOf(stories, violations), recoveries: recoveriesOf(evidence, stories) }
}

function figuresOf(stories: Stories, violations: readonly Violation[]): Verdict['figures'] {
  const tally = (wanted: Tally) =>
    new Set(violations.filter((violation) => violation.tally === wanted).map(({ id }) => id)).size
  const all = [...stories.values()]
  const sum = (count: (story: (typeof all)[number]) => number) =>
    all.reduce((n, story) => n + count(story), 0)
  return {
    tasks: sum(({ row, isAccepted }) => (row || isAccepted ? 1 : 0)),
    starts: sum(({ attempts, startedTwice }) => attempts.length + startedTwice.length),
    repeatedStarts: sum((story) => [...repeatedStarts(story)].length),
    startsInTransit: sum((story) => startsInTransit(story).length),
    lost: tally('lost'),
    doubleCompleted: tally('doubleCompleted'),
    lateResults: tally('lateResults'),
    startsAfterCancel: tally('startsAfterCancel'),
    innocentsFailed: tally('innocentsFailed'),
  }
}

/** A violation as people read it. */
export function sentence({ promise, id, saw }: Violation): string {
  return `${promise}: ${id === undefined ? '' : `task ${id} `}${saw}`
}
