import { setTimeout as sleep } from 'node:timers/promises'
import { noOwnBroker } from '../../support/rabbitmq.ts'
import { until } from '../../support/until.ts'
import { forEachQueue, operate, repeatMessages } from '../system/broker-operator.ts'
import type { BrokerServer, Fault, Random } from '../trial/fault.ts'

// None of these may end a process, cut an attempt short or refuse a client: tasks wait in the database meanwhile.

export const faults: Fault[] = [
  fault('RabbitMQ restart', async (broker, random) => {
    await broker.control(['stop_app'])
    await sleep(random.between(0, 2_000))
    await broker.control(['start_app'])
  }),

  fault('RabbitMQ kill -9', async (broker, random) => {
    await untilQueuesAreKept(broker)
    await broker.kill()
    await sleep(random.between(0, 2_000))
    await broker.start()
  }),

  fault('RabbitMQ connections closed', async (broker) => {
    await broker.control(['close_all_connections', 'closed by a fault'])
  }),

  fault('RabbitMQ memory alarm', async (broker, random) => {
    await broker.control(['set_vm_memory_high_watermark', '0.000001'])
    await sleep(random.between(500, 5_000))
    await broker.control(['set_vm_memory_high_watermark', '0.4'])
  }),

  fault('RabbitMQ disk alarm', async (broker, random) => {
    await broker.control(['set_disk_free_limit', 'mem_relative', '1000'])
    await sleep(random.between(500, 5_000))
    await broker.control(['set_disk_free_limit', '50MB'])
  }),

  fault('RabbitMQ queues purged', (broker) =>
    forEachQueue(broker, (queue) => operate(broker, (channel) => channel.purgeQueue(queue))),
  ),

  fault('RabbitMQ queues deleted', (broker) =>
    forEachQueue(broker, (queue) => operate(broker, (channel) => channel.deleteQueue(queue))),
  ),

  fault('RabbitMQ delivers everything three times', async (broker, random) => {
    await repeatMessages(broker, () => sleep(random.between(1_000, 4_000)))
  }),
]

function fault(kind: string, strike: (broker: BrokerServer, random: Random) => Promise<void>): Fault {
  return {
    kind,
    transports: ['rabbitmq'],
    effects: [],
    missing: () => noOwnBroker || undefined,
    async strike({ broker }, random) {
      if (!broker) throw new Error(`${kind}: the system has no broker`)
      await strike(broker, random)
      return { members: [] }
    },
  }
}

/** A queue whose name is not on disk yet would come back without a leader. */
async function untilQueuesAreKept(broker: BrokerServer): Promise<void> {
  const listed = await broker.control(['list_queues', 'name', '--no-table-headers'])
  const names = listed.split('\n').filter(Boolean)
  await until(() => broker.keeps(names), { deadlineMs: 30_000, what: 'all queues are on disk' })
}
