import type { Figure } from '../measure/figure.ts'
import { withStand } from '../measure/stand.ts'
import { type Blow, readingOf, startsAgain } from '../measure/start-again.ts'

const p99Ms = 15_000
const tries = 12
const atOnce = 2

const stop: Blow = {
  strike: (worker) => worker.kill('SIGSTOP'),
  async undo(worker) {
    worker.kill('SIGCONT')
  },
}

export const figure: Figure = {
  name: 'stopped-worker',
  goal: `worker SIGSTOP, its tasks start again: p99 <= ${p99Ms} ms`,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'stop', seed, transport: 'postgresql', apis: 1, workers: 3 }, async (stand) => {
      const rounds = { tries: Math.max(atOnce, Math.round(tries * scale)), atOnce, say }
      return readingOf(await startsAgain(stand, stop, rounds), rounds.tries, { p99Ms })
    }),
}
