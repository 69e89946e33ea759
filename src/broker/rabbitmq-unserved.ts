import type { Log } from '../domain/ports.ts'
import type { Mail, Receipt } from './rabbitmq-confirms.ts'
import { type Place, queueName, unservedHint } from './rabbitmq-topology.ts'

/**
 * The queues that take nothing although their broker answers: they have lost their leader, or most of their nodes.
 * Whoever waits for one of them would hold up all the others.
 */
export type UnservedBook = {
  has(place: Place): boolean
  places(): Place[]
  /** Learns from a round of mail. Answers why another connection should be tried, if it should. */
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
 * A queue that was silent is first tried on another connection, once for each of the broker's addresses, since it may
 * be this node that is cut off from the queue.
 */
export function unservedBook({ addresses, log }: { addresses: number; log: Log }): UnservedBook {
  const silent = new Map<string, Silence>()
  return { has, places, learn, due, reconnected }

  function has(place: Place): boolean {
    return isUnserved(silent.get(queueName(place)))
  }

  function places(): Place[] {
    return unserved().map(({ mail }) => mail.place)
  }

  function learn(round: readonly Mail[], { routed, unroutable, gaveUp }: Receipt): string | undefined {
    const answered = byQueue([...routed, ...unroutable])
    for (const queue of answered.keys()) served(queue)
    if (!gaveUp) return undefined
    const missing = [...byQueue(round)].filter(([queue]) => !answered.has(queue))
    for (const [queue, mail] of missing) missed(queue, mail)
    return missing.find(([, { place }]) => !has(place))?.[0]
  }

  function served(queue: string) {
    if (isUnserved(silent.get(queue))) log.info({ queue }, 'RabbitMQ serves a queue again')
    silent.delete(queue)
  }

  function missed(queue: string, mail: Mail) {
    const times = (silent.get(queue)?.times ?? 0) + 1
    silent.set(queue, { mail, times, retryAtMs: performance.now() + retryEveryMs })
    if (times === addresses + 1)
      log.warn({ queue, hint: unservedHint }, 'RabbitMQ confirms nothing for a queue')
  }

  function due(): Mail[] {
    const nowMs = performance.now()
    const ready = unserved().filter(({ retryAtMs }) => retryAtMs <= nowMs)
    for (const silence of ready) silence.retryAtMs = nowMs + retryEveryMs
    return ready.map(({ mail }) => mail)
  }

  function reconnected() {
    for (const silence of silent.values()) silence.retryAtMs = 0
  }

  function unserved(): Silence[] {
    return [...silent.values()].filter(isUnserved)
  }

  function isUnserved(silence: Silence | undefined): boolean {
    return silence !== undefined && silence.times > addresses
  }
}

/** One of each queue. */
function byQueue(mail: readonly Mail[]): Map<string, Mail> {
  return new Map(mail.map((one) => [queueName(one.place), one]))
}
