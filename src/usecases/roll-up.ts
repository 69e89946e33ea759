import type { RollupStore } from '../domain/rollup.ts'

const countEveryMs = 10_000
const forgetEveryMs = 600_000

/** What the housekeeping does for the charts. Every process may: the first who comes writes for all. */
export function rollupRounds({ count, forget }: Pick<RollupStore, 'count' | 'forget'>) {
  return [
    { what: 'writing down what happened', round: () => count().then(() => countEveryMs) },
    { what: 'forgetting old minutes', round: () => forget().then(() => forgetEveryMs) },
  ]
}
