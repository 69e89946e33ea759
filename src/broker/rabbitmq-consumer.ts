import { tracingChannel } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { BrokerUnavailableError } from '../domain/errors.ts'
import type { PacketId } from '../domain/packet.ts'
import type { Log, Place } from '../domain/ports.ts'
import { type AckWindow, ackWindow, type OpenWindow } from './rabbitmq-acks.ts'
import { pause, reasonOf, within } from './rabbitmq-connection.ts'
import type { Slip } from './rabbitmq-deliveries.ts'
import { markerReader } from './rabbitmq-markers.ts'
import { assertQueue, decode, queueName, unservedHint } from './rabbitmq-topology.ts'

/** What is done with what arrives. */
export type Reader = {
  packet(place: Place, packet: PacketId, slip: Slip): void
  marker(place: Place, at: string): Promise<void>
  /** The channel is gone; what came through it and was not acked comes again. */
  lost(window: AckWindow): void
}

export type ConsumerSettings = { prefetch: number; log: Log; reader: Reader; stop: AbortSignal }

/** A channel that opens and closes at once, again and again, is not a success. */
const worthwhileMs = 1_000
const idleMs = 20_000
const renewal = 'nothing came'
const silence = 'no answer'

/** Tells who listens of each packet before and after it is taken into the reserve, and of each ack likewise. */
const receiveTrace = tracingChannel<unknown, { name: string }>('millrace.receive')

/**
 * Consumes one place until `stop` aborts, on a channel of its own, and opens another when the queue is deleted or
 * the broker closes the channel. Resolves when the last channel is closed. Never rejects.
 */
export async function keepConsuming(
  model: ChannelModel,
  place: Place,
  settings: ConsumerSettings,
): Promise<void> {
  const { stop, log } = settings
  let complaint = ''
  for (let failures = 0; !stop.aborted; ) {
    const since = performance.now()
    const reason = await consume(model, place, settings)
    if (reason === renewal) continue
    const lasted = reason !== silence && performance.now() - since > worthwhileMs
    if (!stop.aborted && (lasted || reason !== complaint)) complain(log, queueName(place), reason)
    complaint = reason
    failures = lasted ? 1 : failures + 1
    await pause(failures, stop)
  }
}

function complain(log: Log, queue: string, reason: string) {
  if (reason === silence)
    log.warn({ queue, hint: unservedHint }, 'RabbitMQ lets nobody consume a queue, trying on')
  else log.warn({ queue, reason }, 'consuming was interrupted, beginning anew')
}

/** Answers why it ended. */
async function consume(model: ChannelModel, place: Place, settings: ConsumerSettings): Promise<string> {
  const over = new AbortController()
  try {
    const channel = await within(model.createChannel(), 'open a channel')
    const ended = ending(channel)
    const end = () => close(channel)
    settings.stop.addEventListener('abort', end, { signal: over.signal })
    try {
      const isIdle = await begin(channel, place, { ...settings, over: over.signal })
      return await Promise.race([ended, idle(isIdle, over.signal)])
    } finally {
      end()
    }
  } catch (error) {
    return error instanceof BrokerUnavailableError ? silence : reasonOf(error)
  } finally {
    over.abort()
  }
}

/** Answers a function that tells whether nothing came since its last call, and nothing is in hand. */
async function begin(
  channel: Channel,
  place: Place,
  settings: ConsumerSettings & { over: AbortSignal },
): Promise<() => boolean> {
  const { prefetch, reader, over } = settings
  const window = ackWindow<ConsumeMessage>((message, upTo) => ack(channel, message, upTo))
  over.addEventListener('abort', () => {
    window.close()
    reader.lost(window)
  })
  const sort = sorter(place, { ...settings, window })
  let quiet = false
  const take = (message: ConsumeMessage | null) => {
    quiet = false
    if (message) sort(message)
    else close(channel) // the queue was deleted
  }
  await within(channel.prefetch(prefetch), 'set the prefetch')
  await assertQueue(channel, place)
  await within(channel.consume(queueName(place), take), 'begin to consume')
  return () => {
    const wasQuiet = quiet
    quiet = true
    return wasQuiet && window.size() === 0
  }
}

/**
 * Resolves when nothing has come for a while. When a queue is deleted and made again at once, RabbitMQ 3.10 does not
 * tell its consumers and may lose what it delivers to them; a new channel gets it.
 */
async function idle(isIdle: () => boolean, over: AbortSignal): Promise<typeof renewal> {
  do await sleep(idleMs, undefined, { signal: over }).catch(() => {})
  while (!over.aborted && !isIdle())
  return renewal
}

/** Tells packets, markers and what is none of ours apart. */
function sorter(
  place: Place,
  { reader, log, window, over }: ConsumerSettings & { window: OpenWindow<ConsumeMessage>; over: AbortSignal },
) {
  const readMarker = markerReader((at) => reader.marker(place, at), { window, log, over })
  return (message: ConsumeMessage) => {
    const tag = message.fields.deliveryTag
    const letter = decode(message.properties.type, message.content)
    window.delivered(tag, message)
    if (!letter) {
      log.warn({ queue: queueName(place) }, 'a message that is none of ours was dropped')
      window.ack([tag])
    } else if ('marker' in letter) readMarker(letter.marker, tag)
    else
      receiveTrace.traceSync(reader.packet, { name: 'packet' }, reader, place, letter.packet, { window, tag })
  }
}

/** Resolves with the reason when the channel is closed. */
function ending(channel: Channel): Promise<string> {
  return new Promise((resolve) => {
    let reason = 'the channel was closed'
    channel.on('error', (error) => {
      reason = reasonOf(error)
    })
    channel.on('close', () => resolve(reason))
  })
}

function close(channel: Channel) {
  channel.close().catch(() => {}) // it is closed already
}

function ack(channel: Channel, message: ConsumeMessage, upTo: boolean) {
  try {
    receiveTrace.traceSync(channel.ack, { name: 'ack' }, channel, message, upTo)
  } catch {
    // The channel is closing: the broker delivers the packet again, the claim finds nothing, and it is acked then.
  }
}
