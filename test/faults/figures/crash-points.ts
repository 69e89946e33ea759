import { noOwnBroker } from '../../support/rabbitmq.ts'
import { sentence } from '../check/checker.ts'
import { namedPoints, parts, pointsOf } from '../crash/points.ts'
import { crashAt } from '../kinds/crash-points.ts'
import type { Figure } from '../measure/figure.ts'
import type { Transport } from '../trial/fault.ts'
import type { Kind } from '../trial/plan.ts'
import { runTrial } from '../trial/trial.ts'

const rate = 100
const patienceMs = 180_000

/** A system for each transport, in which a process ends at each point in turn. */
export const figure: Figure = {
  name: 'crash-points',
  goal: `a process ends at each of ${namedPoints.length} points: all are hit, nothing is lost`,
  missing: () => noOwnBroker || undefined,
  async measure({ scale, seed, say }) {
    const options = { seed, minutes: undefined, rate, patienceMs, say }
    const trials = []
    for (const transport of ['postgresql', 'rabbitmq'] as const)
      trials.push(await runTrial({ ...options, transport, kinds: kindsOf(transport, scale) }))
    const points = trials.flatMap(({ transport, faults }) =>
      Object.keys(faults).map((at) => `${transport}: ${at}`),
    )
    const wrong = trials.flatMap(({ verdict, troubles }) => [
      ...troubles,
      ...verdict.violations.map(sentence),
    ])
    const tasks = trials.reduce((sum, { accepted }) => sum + accepted, 0)
    return {
      met: wrong.length === 0,
      text: `${points.length} crashes, ${tasks} tasks; ${wrong.join('; ') || 'all were hit, no violation'}`,
      values: { tasks, points: points.join('; '), wrong: wrong.join('; ') },
    }
  },
}

/** A kind for each point. Those of one file strike one after the other. */
function kindsOf(transport: Transport, scale: number): Kind[] {
  const points = parts.flatMap((part) => pointsOf(transport, part))
  return points.slice(0, Math.ceil(points.length * scale)).map((point) => ({
    kind: point.at,
    file: 'crash-points',
    transports: [transport],
    effects: ['restarts', 'exits', 'outage'],
    strike: (system, random) => crashAt(system, point, random),
  }))
}
