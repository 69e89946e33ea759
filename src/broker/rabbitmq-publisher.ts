import { tracingChannel } from 'node:diagnostics_channel'
import { BrokerUnavailableError } from '../domain/errors.ts'
import type { PacketId, PacketRef } from '../domain/packet.ts'
import type { Place, Publisher } from '../domain/ports.ts'
import type { BrokerState } from '../domain/system.ts'
import { type Mail, mailOf } from './rabbitmq-confirms.ts'
import { keepConnected, type RabbitSettings } from './rabbitmq-connection.ts'
import { type Line, openLine } from './rabbitmq-line.ts'
import { queueName } from './rabbitmq-topology.ts'
import { unservedBook } from './rabbitmq-unserved.ts'

export type RabbitPublisher = Publisher & {
  /** Connected, and the broker takes messages. */
  connected(): boolean
  state(): BrokerState
  stop(): Promise<void>
}

const largestRound = 1_000

/** Tells who listens of each round before it is sent and when the broker has judged it. */
const publishTrace = tracingChannel<unknown, { name: string }>('millrace.publish')

/**
 * The sending side, on a connection of its own: a memory alarm stops the connections that publish, and acks must
 * flow on. Calls are served one after the other, so at most 1,000 messages are unconfirmed. While the broker is
 * away or refuses messages, every call rejects at once with BrokerUnavailableError; nothing is kept for later,
 * since the ledger does that. A marker for a queue without consumers is not sent: it would only lie there, and
 * the next ones upon it.
 */
export function rabbitPublisher({ urls, log }: RabbitSettings): RabbitPublisher {
  let line: Line | undefined
  let changedAtMs = Date.now()
  let previous: Promise<unknown> = Promise.resolve()
  const unserved = unservedBook({ addresses: urls.length, log })
  const link = keepConnected({ urls, log, name: 'millrace publisher' }, async (model, gone) => {
    const opened = await openLine(model, { log, unserved, broken: (reason) => link.reset(reason) })
    unserved.reconnected()
    gone.addEventListener('abort', () => {
      if (line !== opened) return
      line = undefined
      changedAtMs = Date.now()
    })
    line = gone.aborted ? undefined : opened
    changedAtMs = Date.now()
  })
  const connected = () => line !== undefined && !line.blocked()
  return { publish, mark, unserved: unserved.places, connected, state, stop: link.stop }

  function state(): BrokerState {
    const since = new Date(changedAtMs).toISOString()
    return { connected: line !== undefined, blocked: line?.blocked() ?? null, since }
  }

  async function publish(packets: readonly PacketRef[]): Promise<PacketId[]> {
    usable()
    return inTurn(async () => {
      const on = usable()
      on.retryUnserved()
      const sent: PacketId[] = []
      for (let at = 0; at < packets.length && line === on && !on.blocked(); at += largestRound) {
        const round = packets.slice(at, at + largestRound).map(mailOf)
        sent.push(...numbersOf(await publishTrace.tracePromise(() => on.deliver(round), { name: 'packets' })))
      }
      return sent
    })
  }

  async function mark(place: Place, at: string): Promise<void> {
    usable()
    await inTurn(async () => {
      const on = usable()
      if (unserved.has(place) || (await on.consumersOf(place)) === 0) return
      const routed = await on.deliver([{ place, letter: { marker: at } }])
      if (routed.length === 0) throw new BrokerUnavailableError(`no marker went through ${queueName(place)}`)
    })
  }

  function usable(): Line {
    if (!line) throw new BrokerUnavailableError('not connected to RabbitMQ')
    const reason = line.blocked()
    if (reason !== undefined) throw new BrokerUnavailableError(`RabbitMQ refuses messages: ${reason}`)
    return line
  }

  function inTurn<T>(call: () => Promise<T>): Promise<T> {
    const answer = previous.then(call)
    previous = answer.catch(() => {})
    return answer
  }
}

const numbersOf = (mail: readonly Mail[]): PacketId[] =>
  mail.flatMap(({ letter }) => ('packet' in letter ? [letter.packet] : []))
