import type { FailureGroups } from '../domain/failure-group.ts'

const foldEveryMs = 1_000
const forgetEveryMs = 600_000

/** What the housekeeping does for the groups of failures. Every process may. */
export function failureRounds(groups: Omit<FailureGroups, 'read'>, retentionDays: number) {
  return [
    { what: 'grouping failures', round: async () => ((await groups.fold()) ? 0 : foldEveryMs) },
    { what: 'forgetting failures', round: () => groups.forget(retentionDays).then(() => forgetEveryMs) },
  ]
}
