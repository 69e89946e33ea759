import { noOwnBroker } from '../../support/rabbitmq.ts'
import type { Figure } from '../measure/figure.ts'
import { withStand } from '../measure/stand.ts'
import { type Blow, readingOf, startsAgain } from '../measure/start-again.ts'

const p99Ms = 2_000
const maxMs = 5_000
const triesEach = 20

const kill: Blow = {
  strike: (worker) => worker.kill('SIGKILL'),
  undo: (worker) => worker.start(),
}

export const figure: Figure = {
  name: 'worker-kill',
  goal: `worker kill -9, its tasks start again: p99 <= ${p99Ms} ms, max <= ${maxMs} ms, with both transports`,
  async measure({ scale, seed, say }) {
    const tries = Math.max(2, Math.round(triesEach * scale))
    const tookMs: number[] = []
    const transports = noOwnBroker ? (['postgresql'] as const) : (['postgresql', 'rabbitmq'] as const)
    for (const transport of transports)
      await withStand({ name: 'kill', seed, transport, apis: 1, workers: 2 }, async (stand) => {
        tookMs.push(...(await startsAgain(stand, kill, { tries, atOnce: 1, say })))
      })
    return readingOf(tookMs, tries * transports.length, { p99Ms, maxMs })
  },
}
