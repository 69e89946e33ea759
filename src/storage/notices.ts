import type { AttemptRef, Notices } from '../domain/ports.ts'
import type { Database } from './connection.ts'

export const channels = {
  packets: 'millrace_packets',
  canceled: 'millrace_canceled',
  queues: 'millrace_queues',
} as const

/** What a notice of packets says that a submission in SQL has sent: others commit beside it and send none. */
export const noticeOfSql = 'sql'

const tellPackets = { name: 'notices.packets', text: `select pg_notify('${channels.packets}', '')` }
const tellQueues = { name: 'notices.queues', text: `select pg_notify('${channels.queues}', '')` }
const tellCanceled = { name: 'notices.canceled', text: `select pg_notify('${channels.canceled}', $1)` }

// A notice locks the whole database for the moment of its commit, so there are at most 50 a second on the average,
// outside of any transaction that does work. A few in advance, so that in quiet times none has to wait for the last.
const everyMs = 20
const burst = 10
/** A notice carries at most 8,000 bytes; an id and an attempt, with what is between them, take 48 at most. */
const attemptsInOne = 160

/** Sends notices. A failed one is forgotten: polling finds everything a moment later. */
export function notices({ run }: Database): Notices & { stop(): void } {
  const packets = paced(() => void run(tellPackets).catch(() => {}))
  let attempts: AttemptRef[] = []
  const cancellations = paced(() => {
    const told = attempts
    attempts = []
    for (let at = 0; at < told.length; at += attemptsInOne) {
      void run(tellCanceled, [written(told.slice(at, at + attemptsInOne))]).catch(() => {})
    }
  })
  return {
    queuesChanged: () => void run(tellQueues).catch(() => {}),
    packetsWaiting: packets.ask,
    canceled(more) {
      attempts.push(...more)
      cancellations.ask()
    },
    stop() {
      packets.stop()
      cancellations.stop()
    },
  }
}

const written = (attempts: readonly AttemptRef[]) =>
  attempts.map(({ id, attempt }) => `${id}:${attempt}`).join(',')

/** The attempts that a notice of canceled tasks names. */
export function attemptsIn(payload: string): AttemptRef[] {
  return payload.split(',').map((text) => {
    const [id = '', attempt] = text.split(':')
    return { id, attempt: Number(attempt) }
  })
}

/**
 * Calls `act` for everything that is asked: at once as long as that comes to one in `everyMs` on the average, with
 * `burst` in advance, and else as soon as it does.
 */
function paced(act: () => void) {
  let timer: NodeJS.Timeout | undefined
  let paidUntilMs = 0
  return {
    ask() {
      if (timer) return
      const waitMs = paidUntilMs - performance.now() - (burst - 1) * everyMs
      if (waitMs > 0) timer = setTimeout(go, waitMs)
      else go()
    },
    stop() {
      if (!timer) return
      clearTimeout(timer)
      act()
    },
  }

  function go() {
    timer = undefined
    paidUntilMs = Math.max(paidUntilMs, performance.now()) + everyMs
    act()
  }
}
