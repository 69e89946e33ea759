import { sentence } from '../check/checker.ts'
import { percentile, type Recovery } from './recovery.ts'
import type { Trial } from './trial.ts'

const mostShown = 20

/** What a trial has shown, for people. */
export function trialReport({ seed, transport, faults, verdict, tookMs, troubles, folder }: Trial): string {
  const { violations } = verdict
  const kinds = Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = violations.slice(0, mostShown).map(sentence)
  const hidden = violations.length - shown.length
  return [
    `seed ${seed}, ${transport}, ${Math.round(tookMs / 1000)} s`,
    ...kinds.map(([kind, count]) => `  ${count} × ${kind}`),
    ...totalLines([{ faults, verdict }]).map((line) => `  ${line}`),
    ...troubles.map((trouble) => `  TROUBLE ${trouble}`),
    violations.length === 0 ? '  no violation' : `  ${violations.length} VIOLATIONS`,
    ...shown.map((line) => `  ${line}`),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
    ...(folder ? [`  ledgers and logs: ${folder}`] : []),
  ].join('\n')
}

/** The sums of several trials. */
export function totalReport(trials: readonly Trial[]): string {
  const bad = trials.filter((trial) => !isGood(trial))
  const seeds = new Set(trials.map(({ seed }) => seed)).size
  return [
    `in all: ${trials.length} trials, ${seeds} seeds`,
    ...totalLines(trials),
    bad.length === 0 ? 'every promise was kept' : `${bad.length} trials with violations or troubles`,
  ].join('\n')
}

export function isGood({ verdict, troubles }: Trial): boolean {
  return verdict.violations.length + troubles.length === 0
}

function totalLines(trials: readonly Pick<Trial, 'faults' | 'verdict'>[]): string[] {
  const sum = (count: (trial: (typeof trials)[number]) => number) =>
    trials.reduce((total, trial) => total + count(trial), 0)
  const figure = (name: keyof Trial['verdict']['figures']) => sum(({ verdict }) => verdict.figures[name])
  const strikes = sum(({ faults }) => Object.values(faults).reduce((total, n) => total + n, 0))
  const kinds = new Set(trials.flatMap(({ faults }) => Object.keys(faults))).size
  return [
    `faults ${strikes} of ${kinds} kinds, tasks ${figure('tasks')}, starts ${figure('starts')}, of them repeated ${figure('repeatedStarts')}`,
    `lost ${figure('lost')}, double-completed ${figure('doubleCompleted')}, late results stored ${figure('lateResults')}, ` +
      `starts after a cancel ${figure('startsAfterCancel')} (and ${figure('startsInTransit')} that were on their way), innocents failed ${figure('innocentsFailed')}`,
    ...recoveryLines(trials.flatMap(({ verdict }) => verdict.recoveries)),
  ]
}

function recoveryLines(recoveries: readonly Recovery[]): string[] {
  return Object.entries(Object.groupBy(recoveries, ({ kind }) => kind)).map(([kind, list = []]) => {
    const times = list.map(({ ms }) => ms)
    return `${kind}: ${times.length} tasks started again, after ${spread(times)}`
  })
}

function spread(times: readonly number[]): string {
  const at = (share: number) => `${Math.round(percentile(times, share) ?? 0)} ms`
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`
}
