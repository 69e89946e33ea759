import type { KeyStore, LiveKey } from '../domain/access.ts'
import type { Sleep } from '../domain/ports.ts'

/** What is known is read again in the background beyond this age, so that a revoked key is refused after it. */
const freshMs = 1_500
/** Beyond this age it is not relied upon. */
const staleMs = 4_000
/** Reads are this far apart, however many unknown keys are tried. */
const betweenMs = 250
const noteUseMs = 60_000

export type KeyBook = {
  /** The live key of that id. Answers at once for one that was read a moment ago: every request asks. */
  find(id: string): LiveKey | undefined | Promise<LiveKey | undefined>
  /** What is known has changed: the next one to ask waits for what is so now. */
  forget(): void
}

type Entry = { key: LiveKey; endsAtMs: number; noteUseAtMs: number }

/**
 * Remembers all live keys of which there are few. One that is not known may have been made a moment ago, so it is looked
 * for once more, together with all others that are: trying out keys costs the database four looks a second.
 */
export function keyBook({ keys, sleep }: { keys: Pick<KeyStore, 'live' | 'used'>; sleep: Sleep }): KeyBook {
  let entries = new Map<string, Entry>()
  let readAtMs = Number.NEGATIVE_INFINITY
  let nextReadAtMs = 0
  let reading: Promise<void> | undefined

  return {
    forget() {
      readAtMs = Number.NEGATIVE_INFINITY
      nextReadAtMs = 0
    },
    find(id) {
      const nowMs = performance.now()
      const entry = entries.get(id)
      if (!entry || nowMs - readAtMs > staleMs) return lookAgain(id, nowMs)
      if (nowMs - readAtMs > freshMs) void read().catch(() => {}) // an outage: what is known will do for a moment
      return use(entry, nowMs)
    },
  }

  async function lookAgain(id: string, sinceMs: number): Promise<LiveKey | undefined> {
    while (readAtMs < sinceMs) await read()
    const entry = entries.get(id)
    return entry && use(entry, performance.now())
  }

  function use(entry: Entry, nowMs: number): LiveKey | undefined {
    if (nowMs > entry.endsAtMs) return undefined
    if (nowMs > entry.noteUseAtMs) {
      entry.noteUseAtMs = nowMs + noteUseMs
      void keys.used(entry.key.id).catch(() => {}) // it is noted at the next use
    }
    return entry.key
  }

  function read(): Promise<void> {
    reading ??= readNow().finally(() => {
      reading = undefined
    })
    return reading
  }

  async function readNow(): Promise<void> {
    const waitMs = nextReadAtMs - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    const beganAtMs = performance.now()
    nextReadAtMs = beganAtMs + betweenMs
    const live = await keys.live()
    const before = entries
    entries = new Map(live.map((key) => [key.id, entryOf(key, before.get(key.id), beganAtMs)]))
    readAtMs = beganAtMs
  }
}

function entryOf(key: LiveKey, before: Entry | undefined, nowMs: number): Entry {
  const endsAtMs = key.expiresInMs === null ? Number.POSITIVE_INFINITY : nowMs + key.expiresInMs
  return { key, endsAtMs, noteUseAtMs: before?.noteUseAtMs ?? 0 }
}
