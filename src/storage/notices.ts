import type { Notices } from '../domain/ports.ts'
import type { Database } from './connection.ts'

export const channels = { packets: 'millrace_packets', canceled: 'millrace_canceled' } as const

const tellPackets = { name: 'notices.packets', text: `select pg_notify('${channels.packets}', '')` }
const tellCanceled = { name: 'notices.canceled', text: `select pg_notify('${channels.canceled}', $1)` }

// A notice locks the whole database for the moment of its commit, so there are at most 20 a second, outside of any
// transaction that does work.
const everyMs = 50
/** A notice carries at most 8,000 bytes; an id with its comma takes 37. */
const idsInOne = 200

/** Sends notices, the first at once. A failed one is forgotten: polling finds everything a moment later. */
export function notices({ run }: Database): Notices & { stop(): void } {
  const packets = atMostEvery(everyMs, () => void run(tellPackets).catch(() => {}))
  let ids: string[] = []
  const cancellations = atMostEvery(everyMs, () => {
    const told = ids
    ids = []
    for (let at = 0; at < told.length; at += idsInOne) {
      void run(tellCanceled, [told.slice(at, at + idsInOne).join(',')]).catch(() => {})
    }
  })
  return {
    packetsWaiting: packets.ask,
    canceled(more) {
      ids.push(...more)
      cancellations.ask()
    },
    stop() {
      packets.stop()
      cancellations.stop()
    },
  }
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
