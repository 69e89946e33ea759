import { type Evidence, type Stories, storiesOf } from '../check/evidence.ts'
import { repeatedStarts } from '../check/restarts.ts'
import { type Strike, strikesOf } from '../check/strikes.ts'

/** From a fault to the new start of a task that was running where it struck. */
export type Recovery = { kind: string; id: string; ms: number }

/** How long the tasks took to start again that faults cut short. */
export function recoveriesOf(evidence: Evidence, stories: Stories = storiesOf(evidence)): Recovery[] {
  const strikes = strikesOf(evidence.rig).filter(({ effects }) => effects.includes('restarts'))
  const recoveries: Recovery[] = []
  for (const story of stories.values()) {
    for (const { cut, again } of repeatedStarts(story)) {
      if (cut.finishedAt !== undefined && cut.finishedAt < again.startedAt) continue // its outcome was lost, not its work
      const strike = strikes.findLast((one) => hasCut(one, cut.member, cut.startedAt, again.startedAt))
      if (strike) recoveries.push({ kind: strike.kind, id: story.id, ms: again.startedAt - strike.at })
    }
  }
  return recoveries
}

function hasCut({ at, members }: Strike, member: string, from: number, to: number): boolean {
  return at >= from && at < to && members.includes(member)
}

/** The value below which that share of the numbers lies; undefined where there are none. */
export function percentile(numbers: readonly number[], share: number): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
}
