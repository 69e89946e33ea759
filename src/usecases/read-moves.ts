import type { LogPosition } from '../domain/event.ts'
import type { LogPage, MoveLog, Sleep } from '../domain/ports.ts'
import { lookingRounds } from './look.ts'

const readEveryMs = 100
/** Positions are told also when nothing moves, so that nobody who comes back has an old one. */
const tellEveryMs = 10_000

/**
 * Reads the log for all who are at its head with one query every 100 ms, and for each of the others from where he is,
 * up to the head.
 */
export function readingTogether({ log, sleep }: { log: Pick<MoveLog, 'read'>; sleep: Sleep }) {
  let head: LogPosition | undefined
  let toldAtMs = 0
  const waiters = new Set<(page: LogPage | undefined) => void>()
  const look = lookingRounds({ isWanted: () => waiters.size > 0, round, sleep, pauseMs: () => readEveryMs })

  return {
    next,
    /** Somebody begins here: where nobody waits, this is the head. */
    beginAt(position: LogPosition) {
      if (waiters.size === 0) head = position
    },
  }

  /** The next page after a position, also an empty one now and then; undefined when the signal aborts. Fails in an outage. */
  async function next(from: LogPosition, signal: AbortSignal): Promise<LogPage | undefined> {
    if (!head || keyOf(from) === keyOf(head)) return atHead(from, signal)
    const upTo = head.page?.upTo ?? head.after
    // Who has read further, at another process, goes on by himself until the others are there.
    const page = await log.read(from, endOf(upTo) < endOf(from.after) ? undefined : upTo)
    if (page.moves.length === 0 && keyOf(page.position) !== keyOf(head)) await sleep(readEveryMs, signal)
    return page
  }

  /** Fails when a round does. */
  function atHead(from: LogPosition, signal: AbortSignal): Promise<LogPage | undefined> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return resolve(undefined)
      head ??= from
      waiters.add(tell)
      signal.addEventListener('abort', leave)
      look()

      function leave() {
        tell(undefined)
      }

      function tell(page: LogPage | undefined) {
        waiters.delete(tell)
        signal.removeEventListener('abort', leave)
        if (page || signal.aborted) resolve(page)
        else reject(new Error('the log could not be read'))
      }
    })
  }

  /** Where there is more than a page, the next one follows at once. */
  async function round(): Promise<void> {
    while (head && waiters.size > 0) {
      const page = await log.read(head).catch(() => undefined)
      head = page?.position
      const nowMs = performance.now()
      if (page?.moves.length === 0 && nowMs - toldAtMs < tellEveryMs) return
      toldAtMs = nowMs
      for (const tell of [...waiters]) tell(page)
      if (!head?.page) return
      await sleep(1)
    }
  }
}

/** The number of the first transaction that a snapshot knew nothing of. */
function endOf(snapshot: string): bigint {
  return BigInt(snapshot.split(':')[1] ?? 0)
}

function keyOf({ after, page }: LogPosition): string {
  return page ? `${after} ${page.upTo} ${page.xid} ${page.seq}` : after
}
