import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { connect } from 'amqplib'
import { rabbitPublisher } from '../../src/broker/rabbitmq-publisher.ts'
import { type RabbitSourceSettings, rabbitSource } from '../../src/broker/rabbitmq-source.ts'
import { queueName } from '../../src/broker/rabbitmq-topology.ts'
import type { PacketRef } from '../../src/domain/packet.ts'
import type { Claim, Log, Place, Publisher, Want } from '../../src/domain/ports.ts'
import { type Priority, priorities } from '../../src/domain/task.ts'
import { until } from '../support/until.ts'

export const newQueue = () => `q-${randomUUID()}`
export const never = new AbortController().signal

/** What a claim found, by default everything and room for it. */
export const claim = (found: Partial<Claim> = {}): Claim => ({
  tasks: [],
  packets: [],
  oversized: [],
  blocked: [],
  ...found,
})

export function packets(queue: string, ids: readonly number[], priority: Priority = 'normal'): PacketRef[] {
  return ids.map((id) => ({ id, queue, priority }))
}

export const numbers = (count: number, first = 1) => Array.from({ length: count }, (_, i) => first + i)

export function namedIn(want: Want | undefined): readonly number[] {
  return want && 'packets' in want ? want.packets : []
}

/** Keeps the sentences that were logged. */
export function quietLog(): Log & { lines: string[] } {
  const lines: string[] = []
  const add = (_fields: object, message: string) => void lines.push(message)
  return { lines, debug: add, info: add, warn: add, error: add }
}

export async function startPublisher(t: TestContext, urls: readonly string[], log: Log = quietLog()) {
  const publisher = rabbitPublisher({ urls, log })
  t.after(publisher.stop)
  await until(publisher.connected, { what: 'the publisher connects' })
  return publisher
}

/** As a relay does: again, until the broker has them all. */
export async function sendAll({ publish }: Publisher, packets: readonly PacketRef[]) {
  const sent = new Set<number>()
  const trySend = async () => {
    for (const id of await publish(packets.filter(({ id }) => !sent.has(id)))) sent.add(id)
    return sent.size === packets.length
  }
  await until(trySend, { deadlineMs: 60_000, what: 'all is sent' })
}

export async function startSource(
  t: TestContext,
  settings: Partial<RabbitSourceSettings> & { urls: readonly string[]; queues: readonly string[] },
) {
  const source = rabbitSource({ prefetch: 8, log: quietLog(), onMarker: async () => {}, ...settings })
  t.after(source.stop)
  await until(source.connected, { what: 'the source connects' })
  const { consumers } = await operator(t, settings.urls[0]!)
  const places = settings.queues.flatMap((queue) => priorities.map((priority) => ({ queue, priority })))
  const consuming = async () => (await Promise.all(places.map(consumers))).every((count) => count > 0)
  await until(consuming, { what: 'it consumes' })
  return source
}

/** Somebody with another client, who looks at queues and breaks them. */
export async function operator(t: TestContext, url: string) {
  const connection = await connect(url)
  t.after(() => connection.close())
  const channel = await connection.createChannel()
  return {
    connection,
    channel,
    /** Messages that wait for a consumer. */
    ready: async (place: Place) => (await look(place)).messageCount,
    consumers: async (place: Place) => (await look(place)).consumerCount,
    purge: (place: Place) => channel.purgeQueue(queueName(place)),
    remove: (place: Place) => channel.deleteQueue(queueName(place)),
  }

  /** On a channel of its own, which is closed when there is no such queue. */
  async function look(place: Place) {
    const own = await connection.createChannel()
    own.on('error', () => {})
    const seen = await own.checkQueue(queueName(place))
    await own.close()
    return seen
  }
}
