import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { connect } from 'amqplib'
import { rabbitPublisher } from '../../src/broker/rabbitmq-publisher.ts'
import { type RabbitSourceSettings, rabbitSource } from '../../src/broker/rabbitmq-source.ts'
import { type Place, queueName } from '../../src/broker/rabbitmq-topology.ts'
import type { PacketRef } from '../../src/domain/packet.ts'
import type { Claim, Log, Want } from '../../src/domain/ports.ts'
import type { Priority } from '../../src/domain/task.ts'
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

export async function startSource(
  t: TestContext,
  settings: Partial<RabbitSourceSettings> & { urls: readonly string[]; queues: readonly string[] },
) {
  const source = rabbitSource({ prefetch: 8, log: quietLog(), onMarker: async () => {}, ...settings })
  t.after(source.stop)
  await until(source.connected, { what: 'the source connects' })
  return source
}

/** Somebody with another client, who looks at queues and breaks them. */
export async function operator(t: TestContext, url: string) {
  const connection = await connect(url)
  t.after(() => connection.close())
  const channel = await connection.createChannel()
  return {
    channel,
    /** Messages that wait for a consumer. */
    ready: async (place: Place) => (await channel.checkQueue(queueName(place))).messageCount,
    consumers: async (place: Place) => (await channel.checkQueue(queueName(place))).consumerCount,
    purge: (place: Place) => channel.purgeQueue(queueName(place)),
    remove: (place: Place) => channel.deleteQueue(queueName(place)),
  }
}
