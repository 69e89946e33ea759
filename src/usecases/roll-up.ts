import type { RollupStore } from '../domain/rollup.ts'

const lookEveryMs = 5_000
const forgetEveryMs = 600_000

/** What the housekeeping does for the charts. Every process may: a minute is written by the first who comes. */
export function rollupRounds({ countMinute, forget }: Pick<RollupStore, 'countMinute' | 'forget'>) {
  return [
    { what: 'writing down the last minute', round: () => countMinute().then(() => lookEveryMs) },
    { what: 'forgetting old minutes', round: () => forget().then(() => forgetEveryMs) },
  ]
}
