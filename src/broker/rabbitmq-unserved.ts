import type { Log, Place } from '../domain/ports.ts'
import type { Mail, Receipt } from './rabbitmq-confirms.ts'
import { queueName, unservedHint } from './rabbitmq-topology.ts'

/**
 * The queues that confirm nothing although their broker answers: they have lost their leader, or most of their nodes.
 * A message for one of them holds up its whole channel, so they are left out, and tried on channels of their own. Who
 * was held up with them is in the book as well, until a moment later.
 */
export type UnservedBook = {
  has(place: Place): boolean
  places(): Place[]
  /** Learns from a round of mail. Answers the queue because of which another connection should be tried, if one. */
  learn(round: readonly Mail[], receipt: Receipt): string | undefined
  /** Mail for those that should be tried again now. */
  due(): Mail[]
  /** There is another connection: all are tried again at once. */
  reconnected(): void
}

type Silence = { mail: Mail; times: number; retryAtMs: number }

/** Longer than a confirm is waited for, so that one try at a time is open. */
const retryEveryMs = 11_000

/**
 * A silent queue is first tried on another connection, once for each of the broker's addresses, since it may be this
 * node that is cut off from it. After that others need not suffer for it.
 */
export function unservedBook({ addresses, log }: { addresses: number; log: Log }): UnservedBook {
  const silent = new Map<string, Silence>()
  return { has: (place) => silent.has(queueName(place)), places, learn, due, reconnected }

  function places(): Place[] {
    return [...silent.values()].map(({ mail }) => mail.place)
  }

  function learn(round: readonly Mail[], { routed, unroutable, gaveUp }: Receipt): string | undefined {
    const answered = byQueue([...routed, ...unroutable])
    for (const queue of answered.keys()) served(queue)
    if (!gaveUp) return undefined
    const missing = [...byQueue(round)].filter(([queue]) => !answered.has(queue))
    return missing.filter(([queue, mail]) => missed(queue, mail) <= addresses)[0]?.[0]
  }

  function served(queue: string) {
    const times = silent.get(queue)?.times ?? 0
    if (times > addresses) log.info({ queue }, 'RabbitMQ serves a queue again')
    silent.delete(queue)
  }

  function missed(queue: string, mail: Mail): number {
    const times = (silent.get(queue)?.times ?? 0) + 1
    silent.set(queue, { mail, times, retryAtMs: performance.now() + retryEveryMs })
    if (times === addresses + 1)
      log.warn({ queue, hint: unservedHint }, 'RabbitMQ confirms nothing for a queue')
    return times
  }

  function due(): Mail[] {
    const nowMs = performance.now()
    const ready = [...silent.values()].filter(({ retryAtMs }) => retryAtMs <= nowMs)
    for (const silence of ready) silence.retryAtMs = nowMs + retryEveryMs
    return ready.map(({ mail }) => mail)
  }

  function reconnected() {
    for (const silence of silent.values()) silence.retryAtMs = 0
  }
}

/** One of each queue. */
function byQueue(mail: readonly Mail[]): Map<string, Mail> {
  return new Map(mail.map((one) => [queueName(one.place), one]))
}
