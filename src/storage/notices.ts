import type { AttemptRef, Notices } from '../domain/ports.ts'
import type { Database } from './connection.ts'

export const channels = { packets: 'millrace_packets', canceled: 'millrace_canceled' } as const

const tellPackets = { name: 'notices.packets', text: `select pg_notify('${channels.packets}', '')` }
const tellCanceled = { name: 'notices.canceled', text: `select pg_notify('${channels.canceled}', $1)` }

// A notice locks the whole database for the moment of its commit, so there are at most 20 a second, outside of any
// transaction that does work.
const everyMs = 50
/** A notice carries at most 8,000 bytes; an id and an attempt, with what is between them, take 48 at most. */
const attemptsInOne = 160

/** Sends notices, the first at once. A failed one is forgotten: polling finds everything a moment later. */
export function notices({ run }: Database): Notices & { stop(): void } {
  const packets = atMostEvery(everyMs, () => void run(tellPackets).catch(() => {}))
  let attempts: AttemptRef[] = []
  const cancellations = atMostEvery(everyMs, () => {
    const told = attempts
    attempts = []
    for (let at = 0; at < told.length; at += attemptsInOne) {
      void run(tellCanceled, [written(told.slice(at, at + attemptsInOne))]).catch(() => {})
    }
  })
  return {
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

/** Calls `act` at once when asked, and for all that is asked within `ms` of the last call once more after it. */
function atMostEvery(ms: number, act: () => void) {
  let timer: NodeJS.Timeout | undefined
  let asked = false

  return {
    ask() {
      if (timer) asked = true
      else go()
    },
    stop() {
      clearTimeout(timer)
      if (asked) act()
    },
  }

  function go() {
    asked = false
    act()
    timer = setTimeout(() => {
      timer = undefined
      if (asked) go()
    }, ms)
  }
}
