import type { Channel, ChannelModel } from 'amqplib'
import type { PacketId } from '../domain/packet.ts'
import type { Place } from '../domain/ports.ts'
import { within } from './rabbitmq-connection.ts'

/** What a message says: the number of a packet, or that everything sent to this queue before `at` came before it. */
export type Letter = { packet: PacketId } | { marker: string }

/**
 * A queue's arguments can never be changed, so a change of them needs a new version here. The limit of deliveries
 * is finite because RabbitMQ 3.10 takes -1 for "drop at the first return" and 4 takes its absence for 20.
 */
const version = 'v1'
const queueOptions = {
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 },
}

/** What whoever operates the broker should know about a queue that does not answer. */
export const unservedHint =
  'if it stays so, it has lost its leader: rabbitmqctl delete_queue it; no task is lost by that'

export const queueName = ({ queue, priority }: Place) => `millrace.${version}.${queue}.${priority}`

export function assertQueue(channel: Channel, place: Place) {
  const name = queueName(place)
  return within(channel.assertQueue(name, queueOptions), `declare ${name}`)
}

/**
 * Makes sure that the place has its queue; answers how many consume it. On a channel of its own, because a refusal
 * closes the channel it came on.
 */
export async function declareQueue(model: ChannelModel, place: Place): Promise<{ consumers: number }> {
  const channel = await within(model.createChannel(), 'open a channel')
  channel.on('error', () => {}) // the refused call rejects with the same error
  const { consumerCount } = await assertQueue(channel, place)
  await within(channel.close(), 'close a channel')
  return { consumers: consumerCount }
}

export function encode(letter: Letter): { type: string; content: Buffer } {
  return 'packet' in letter
    ? { type: 'packet', content: Buffer.from(String(letter.packet)) }
    : { type: 'marker', content: Buffer.from(letter.marker) }
}

const packetText = /^[1-9]\d{0,15}$/
/** An instant as PostgreSQL or RFC 3339 write it. */
const instantText = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d(:?\d\d)?)$/

/** Undefined for what is none of ours. */
export function decode(type: unknown, content: Buffer): Letter | undefined {
  const text = content.toString('latin1', 0, 64)
  if (type === 'packet' && packetText.test(text) && Number.isSafeInteger(Number(text))) {
    return { packet: Number(text) }
  }
  return type === 'marker' && instantText.test(text) ? { marker: text } : undefined
}
