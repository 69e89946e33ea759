import type { Figure } from '../measure/figure.ts'
import { racingDatabases } from '../races/databases.ts'
import { playRaces } from '../races/races.ts'
import { cleanups } from '../system/system.ts'

const wanted = 100_000
const lanes = 3

/** Pairs and triples of moves that meet on the same tasks. */
export const figure: Figure = {
  name: 'races',
  goal: `${wanted} pairs and triples of moves on the same tasks: each leaves what some order of them would`,
  async measure({ scale, seed, say }) {
    const undo = cleanups()
    try {
      const databases = await racingDatabases(undo, lanes)
      say(`seed ${seed}`)
      const played = await playRaces({ ...undo, databases, races: Math.ceil(wanted * scale), seed, say })
      const { races, scenarios, waits, deadlocks } = played
      const text = `${races} races in ${scenarios} scenarios, ${waits} waits for a lock, ${deadlocks} deadlocks repeated: none out of order`
      return { met: true, text, values: { seed, ...played } }
    } finally {
      await undo.run()
    }
  },
}
