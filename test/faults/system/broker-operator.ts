import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib'
import { queueName } from '../../../src/broker/rabbitmq-topology.ts'
import { priorities } from '../../../src/domain/task.ts'
import type { BrokerServer } from '../trial/fault.ts'

/** The queues at the broker for the queue that tasks are submitted to unless they name one. */
export const defaultQueues = priorities.map((priority) => queueName({ queue: 'default', priority }))

/** Does something to the broker with another client than Millrace's, past the link. */
export async function operate<T>(
  { url }: Pick<BrokerServer, 'url'>,
  work: (channel: Channel, connection: ChannelModel) => Promise<T>,
): Promise<T> {
  const connection = await connect(url)
  connection.on('error', () => {}) // the call that is open rejects
  try {
    return await work(await connection.createChannel(), connection)
  } finally {
    await connection.close().catch(() => {})
  }
}

/** Whether a queue is there. On a connection of its own, because a look at a missing one closes the channel. */
export function exists(broker: Pick<BrokerServer, 'url'>, queue: string): Promise<boolean> {
  return operate(broker, async (channel) => {
    channel.on('error', () => {})
    return channel.checkQueue(queue).then(
      () => true,
      () => false,
    )
  })
}

/** For each of those queues that is there. */
export async function forEachQueue(
  broker: Pick<BrokerServer, 'url'>,
  strike: (queue: string) => Promise<unknown>,
): Promise<void> {
  for (const queue of defaultQueues) if (await exists(broker, queue)) await strike(queue)
}

const traceExchange = 'amq.rabbitmq.trace'
const copies = 2
const copyId = 'copy'

/**
 * While `during` lasts, every message that is published is put into its queue three times. The broker's own tracing
 * tells of each. Answers how many were repeated.
 */
export async function repeatMessages(broker: BrokerServer, during: () => Promise<void>): Promise<number> {
  let repeated = 0
  await broker.control(['trace_on'])
  try {
    await operate(broker, async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true })
      await channel.bindQueue(queue, traceExchange, 'publish.#')
      const repeat = (message: ConsumeMessage | null) => {
        if (message && publishAgain(channel, message)) repeated += 1
      }
      await channel.consume(queue, repeat, { noAck: true })
      await during()
    })
  } finally {
    await broker.control(['trace_off'])
  }
  return repeated
}

/** Answers whether it did: a copy is not copied. */
function publishAgain(channel: Channel, { content, properties }: ConsumeMessage): boolean {
  const { routing_keys: queues, properties: original } = properties.headers ?? {}
  if (original.message_id === copyId) return false
  for (const queue of queues) {
    for (let i = 0; i < copies; i++)
      channel.sendToQueue(queue, content, { persistent: true, messageId: copyId, type: original.type })
  }
  return true
}
