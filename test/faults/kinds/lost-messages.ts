import { noOwnBroker } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import { forEachQueue, operate } from '../broker-operator.ts'
import type { BrokerServer, Fault, System } from '../fault.ts'

const deadlineMs = 60_000

/** Messages that wait in the broker, because nobody takes them, are lost there. */
export const faults: Fault[] = [
  withoutWorkers('RabbitMQ queues purged while no worker runs', async (system, broker) => {
    await untilSent(system, 20)
    await forEachQueue(broker, (queue) => operate(broker, (channel) => channel.purgeQueue(queue)))
  }),
  withoutWorkers('RabbitMQ queues deleted while no worker runs', async (system, broker) => {
    await forEachQueue(broker, (queue) => operate(broker, (channel) => channel.deleteQueue(queue)))
    await untilSubmitted(system, 20)
  }),
]

function withoutWorkers(kind: string, lose: (system: System, broker: BrokerServer) => Promise<void>): Fault {
  return {
    kind,
    transports: ['rabbitmq'],
    effects: ['exits', 'restarts'],
    missing: () => noOwnBroker || undefined,
    async strike(system) {
      const { workers, broker } = system
      if (!broker) throw new Error(`${kind}: the system has no broker`)
      await Promise.all(workers.map((worker) => worker.stop()))
      try {
        await lose(system, broker)
      } finally {
        await Promise.all(workers.map((worker) => worker.start()))
      }
      return { members: workers }
    },
  }
}

async function untilSent({ database }: System, count: number): Promise<void> {
  const isSo = async () => (await waiting(database, 'sent_at is not null')) >= count
  await until(isSo, { deadlineMs, what: `${count} packets are with the broker` })
}

/** More than were there before. */
async function untilSubmitted({ database }: System, count: number): Promise<void> {
  const before = await waiting(database, 'true')
  const isSo = async () => (await waiting(database, 'true')) >= before + count
  await until(isSo, { deadlineMs, what: `${count} packets more are waiting` })
}

async function waiting({ query }: System['database'], condition: string): Promise<number> {
  const rows = await query<{ n: number }>(
    `select count(*)::int as n from millrace.packets where worker_id is null and ${condition}`,
  )
  return rows[0]?.n ?? 0
}
