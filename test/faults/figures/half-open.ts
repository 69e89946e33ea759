import { until } from '../../support/until.ts'
import type { Figure } from '../measure/figure.ts'
import { type Stand, withStand } from '../measure/stand.ts'
import { type Blow, readingOf, startsAgain } from '../measure/start-again.ts'

const p99Ms = 15_000
const tries = 12
const atOnce = 2
const backWithinMs = 60_000
const size = { transport: 'postgresql', apis: 1, workers: 3 } as const

export const figure: Figure = {
  name: 'half-open',
  goal: `half-open link of a worker, its tasks start again: p99 <= ${p99Ms} ms`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'half-open', seed, ...size, isDirect: false }, async (stand) => {
      const rounds = { tries: Math.max(atOnce, Math.round(tries * scale)), atOnce, say }
      return readingOf(await startsAgain(stand, freeze(stand), rounds), rounds.tries, { p99Ms })
    }),
}

/** It has to come back by itself, past connections that stay dead until it has. */
function freeze({ database }: Stand): Blow {
  const { link } = database
  return {
    strike: (worker) => link.freeze(worker.name),
    async undo(worker) {
      link.thaw(worker.name)
      const [now] = await database.query<{ at: Date }>('select now() as at')
      const beat = 'select from millrace.workers where pid = $1 and last_seen_at > $2'
      await until(async () => (await database.query(beat, [worker.pid(), now?.at])).length > 0, {
        deadlineMs: backWithinMs,
        what: `${worker.name} is back`,
      })
      link.bury(worker.name)
    },
  }
}
