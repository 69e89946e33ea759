import type { ClientLine } from '../system/ledger.ts'
import type { Check, Evidence, Violation } from './evidence.ts'
import { isExplained, type Strike, strikesOf } from './strikes.ts'

const promise = '8 in an outage clients wait and processes stay'

/** How long after a fault was undone its outage may last. */
const recoveryMs = 5_000

/** 8: only 503 with a Retry-After, only in an outage; a process ends only when a fault ends it. */
export const outages: Check = function* (evidence) {
  const strikes = strikesOf(evidence.rig)
  yield* badAnswers(evidence, strikes)
  yield* badEndings(evidence, strikes)
}

function* badAnswers({ client }: Evidence, strikes: readonly Strike[]): Iterable<Violation> {
  for (const line of client) {
    if (line.what !== 'refused') continue
    const saw = isBad(line, strikes)
    if (saw) yield { promise, id: line.id, saw: `${line.request} ${saw}: ${line.reason}` }
  }
}

type Refused = Extract<ClientLine, { what: 'refused' }>

function isBad({ status, retryAfter, sentAt, at }: Refused, strikes: readonly Strike[]): string | undefined {
  const span = { from: sentAt, to: at, lastsMs: recoveryMs }
  if (status === 0) {
    const effects = ['exits', 'restarts', 'outage'] as const
    return isExplained(strikes, { ...span, effects })
      ? undefined
      : 'was not answered though nothing was wrong'
  }
  if (status !== 503) return `was answered ${status}`
  if (retryAfter === undefined) return 'was answered 503 without Retry-After'
  const isOutage = isExplained(strikes, { ...span, effects: ['outage'] })
  return isOutage ? undefined : 'was answered 503 though nothing was away'
}

function* badEndings({ rig }: Evidence, strikes: readonly Strike[]): Iterable<Violation> {
  for (const line of rig) {
    if (line.what !== 'ended' || line.wanted) continue
    const span = { from: line.at, to: line.at, lastsMs: recoveryMs }
    if (!isExplained(strikes, { ...span, member: line.member, effects: ['exits'] }))
      yield { promise, saw: `${line.member} ended with ${line.how}, and no fault did it` }
  }
}
