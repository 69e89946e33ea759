import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelModel } from 'amqplib'
import type { Log, Place } from '../domain/ports.ts'
import { type ConfirmingChannel, type Mail, openConfirmingChannel } from './rabbitmq-confirms.ts'
import { reasonOf } from './rabbitmq-connection.ts'
import { declareQueue, queueName } from './rabbitmq-topology.ts'
import type { UnservedBook } from './rabbitmq-unserved.ts'

/** The sending side of one connection. */
export type Line = {
  /** Why the broker refuses messages, while it does. */
  blocked(): string | undefined
  /**
   * Answers the mail that is confirmed and in a queue; waits some 20 s at most. Never rejects. One call at a time. Mail
   * for queues that are not served is left out.
   */
  deliver(mail: readonly Mail[]): Promise<Mail[]>
  /** Tries the queues that were not served, those whose time it is. Nobody waits for that. */
  retryUnserved(): void
  consumersOf(place: Place): Promise<number>
}

const confirmTimeoutMs = 10_000
/** RabbitMQ 3.10 does not tell the consumers of a deleted queue when it is there again at once. */
const farewellMs = 200

/** `broken` is called when only another connection can help. */
export async function openLine(
  model: ChannelModel,
  { log, unserved, broken }: { log: Log; unserved: UnservedBook; broken: (reason: string) => void },
): Promise<Line> {
  let blocked: string | undefined
  let alarm = new AbortController()
  const refused = new Set<string>()
  watchAlarms()
  const common = await openConfirmingChannel(model, () => broken('the publishing channel was closed'))
  const apart = new Map<string, Promise<ConfirmingChannel>>()
  return {
    blocked: () => blocked,
    deliver,
    retryUnserved() {
      for (const mail of unserved.due()) void carryApart(mail) // what becomes of it is in the book
    },
    consumersOf: async (place) => (await declareQueue(model, place)).consumers,
  }

  function deliver(mail: readonly Mail[]): Promise<Mail[]> {
    const served = mail.filter(({ place }) => !unserved.has(place))
    return carry(common, served)
  }

  /** On the queue's own channel, for as long as this connection lives: RabbitMQ may never be done with closing it. */
  async function carryApart(mail: Mail): Promise<void> {
    const name = queueName(mail.place)
    const channel = apart.get(name) ?? openConfirmingChannel(model, () => apart.delete(name))
    apart.set(name, channel)
    try {
      await carry(await channel, [mail])
    } catch {
      apart.delete(name) // no channel: the next try opens another, or the connection has gone
    }
  }

  /**
   * What comes back has no queue, because it is the first or because somebody has deleted it: it is sent once more
   * after declaring one. Nothing is declared ahead: RabbitMQ 3.10 closes a connection on which a queue is declared
   * at the moment in which another makes the same one, as a worker that starts may do.
   */
  async function carry(channel: ConfirmingChannel, mail: readonly Mail[]): Promise<Mail[]> {
    const { routed, unroutable } = await send(channel, mail)
    if (unroutable.length === 0) return routed
    await sleep(farewellMs)
    const places = new Map(unroutable.map(({ place }) => [queueName(place), place]))
    await Promise.all([...places].map(([name, place]) => declare(name, place)))
    return [...routed, ...(await send(channel, unroutable)).routed]
  }

  async function send(channel: ConfirmingChannel, mail: readonly Mail[]) {
    const late = AbortSignal.timeout(confirmTimeoutMs)
    const receipt = await channel.send(mail, AbortSignal.any([late, alarm.signal]))
    if (blocked !== undefined) return receipt // that explains what was not confirmed
    const silent = unserved.learn(mail, receipt)
    if (silent !== undefined) broken(`no confirm from ${silent} within ${confirmTimeoutMs} ms`)
    return receipt
  }

  async function declare(name: string, place: Place) {
    try {
      await declareQueue(model, place)
      refused.delete(name)
    } catch (error) {
      if (!refused.has(name)) log.warn({ queue: name, reason: reasonOf(error) }, 'RabbitMQ refuses a queue')
      refused.add(name)
    }
  }

  function watchAlarms() {
    model.on('blocked', (reason) => {
      blocked = reason
      alarm.abort()
      log.warn({ reason }, 'RabbitMQ refuses messages')
    })
    model.on('unblocked', () => {
      blocked = undefined
      alarm = new AbortController()
      log.info({}, 'RabbitMQ takes messages again')
    })
  }
}
