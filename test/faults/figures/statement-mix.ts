import type { Figure } from '../measure/figure.ts'
import { racingDatabases } from '../races/databases.ts'
import { playMix } from '../races/mix.ts'
import { cleanups } from '../system/system.ts'

const ways = 16
const fullMs = 60_000

/** Every statement of the ledger at once. */
export const figure: Figure = {
  name: 'statement-mix',
  goal: `${ways} of every statement at once for ${fullMs / 1_000} s: no deadlock reaches a caller, the counts are exact`,
  async measure({ scale, seed }) {
    const undo = cleanups()
    try {
      const [database] = await racingDatabases(undo, 1)
      const mix = { ...undo, database: database!, ways, durationMs: fullMs * scale, seed }
      const { calls, errors, deadlocks, slowestMs, flaws } = await playMix(mix)
      const count = Object.values(calls).reduce((sum, some) => sum + some, 0)
      const text = [
        `${count} calls of ${Object.keys(calls).length} kinds, ${errors.length} errors, ${flaws.length} flaws,`,
        `${deadlocks} deadlocks repeated, slowest ${slowestMs} ms`,
        ...[...errors, ...flaws].slice(0, 5),
      ].join(' ')
      const values = { seed, count, deadlocks, slowestMs, errors: errors.length, flaws: flaws.length }
      return { met: errors.length === 0 && flaws.length === 0, text, values }
    } finally {
      await undo.run()
    }
  },
}
