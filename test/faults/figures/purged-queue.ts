import { markEveryMs } from '../../../src/usecases/markers.ts'
import { noOwnBroker } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import type { Figure } from '../measure/figure.ts'
import { type Stand, withStand } from '../measure/stand.ts'
import { defaultQueues, operate } from '../system/broker-operator.ts'
import { nowMs } from '../system/machine-clock.ts'
import { verdictOf } from '../trial/judge.ts'

const withinMs = 2 * markEveryMs
const most = 10_000

/** The workers are away until the queue is empty, so that every message is lost. */
export const figure: Figure = {
  name: 'purged-queue',
  goal: `of ${most} messages that were purged, all tasks run within 2 marker intervals (${withinMs} ms)`,
  missing: () => noOwnBroker || undefined,
  measure: ({ scale, seed, say }) =>
    withStand({ name: 'purge', seed, transport: 'rabbitmq', isDirect: false }, async (stand) => {
      const { workers, broker } = stand
      if (!broker) throw new Error('the system has no broker')
      const count = Math.max(100, Math.round(most * scale))
      await Promise.all(workers.map((worker) => worker.stop()))
      await submitOneByOne(stand, count)
      await until(() => isSent(stand), { deadlineMs: 120_000, what: 'every packet is sent' })
      const purged = await purge(stand)
      say(`${purged} messages purged`)
      await Promise.all(workers.map((worker) => worker.start()))
      const from = nowMs()
      const { violations, figures } = await verdictOf(stand, 120_000)
      const ms = nowMs() - from
      return {
        met: purged === count && violations.length === 0 && ms <= withinMs,
        text: `${purged} messages purged; all ${figures.tasks} tasks had run ${Math.round(ms)} ms after the workers were there; ${violations.length} violations`,
        values: { purged, ms, tasks: figures.tasks, violations: violations.length },
      }
    }),
}

/** One after the other, so that each task has a packet, and a message, of its own. */
async function submitOneByOne({ client }: Stand, count: number): Promise<void> {
  for (let left = count; left > 0; left--) await client.submit([{ type: 'quick', payload: { ms: 1 } }])
}

async function isSent({ database }: Stand): Promise<boolean> {
  const rows = await database.query('select from millrace.packets where sent_at is null limit 1')
  return rows.length === 0
}

async function purge({ broker }: Stand): Promise<number> {
  if (!broker) return 0
  return operate(broker, async (channel) => {
    const [, queue = ''] = defaultQueues
    return (await channel.purgeQueue(queue)).messageCount
  })
}
