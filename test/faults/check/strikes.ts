import type { RigLine } from '../system/ledger.ts'
import type { Effect } from '../trial/fault.ts'

export type Strike = Extract<RigLine, { what: 'struck' }>

export function strikesOf(rig: readonly RigLine[]): Strike[] {
  return rig.filter((line) => line.what === 'struck')
}

/** Where a time span is looked for in the effects of faults; without `member`, a fault that struck anybody will do. */
export type Question = {
  from: number
  to: number
  member?: string | undefined
  effects: readonly Effect[]
  lastsMs: number
}

/** Whether a fault with one of these effects, lasting for so long after it was undone, explains something in the span. */
export function isExplained(strikes: readonly Strike[], question: Question): boolean {
  const { from, to, member, effects, lastsMs } = question
  return strikes.some(
    (strike) =>
      strike.at <= to &&
      strike.until + lastsMs >= from &&
      strike.effects.some((effect) => effects.includes(effect)) &&
      (member === undefined || strike.members.includes(member)),
  )
}
