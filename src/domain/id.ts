import { randomFillSync } from 'node:crypto'

/** A clock that goes back by less is not followed, so that ids grow; one that goes back by more was wrong. */
const setBackMs = 1_000

/**
 * A source of UUIDv7 (RFC 9562, 5.7) that grows within a process: 48 bits of milliseconds, then a 12-bit
 * counter (method 1 of 6.2) that lends from the next millisecond when it is used up, then 62 random bits.
 */
export function idSource(nowMs: () => number = Date.now): () => string {
  let lastMs = 0
  let counter = 0
  return () => {
    const ms = nowMs()
    if (ms > lastMs || ms < lastMs - setBackMs) {
      lastMs = ms
      counter = randomBelow(1024)
    } else if (++counter > 0xfff) {
      lastMs++
      counter = 0
    }
    const time = lastMs.toString(16).padStart(12, '0')
    const rest = randomHex16()
    const variant = '89ab'[Number.parseInt(rest[0]!, 16) & 3]
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${rest.slice(1, 4)}-${rest.slice(4)}`
  }
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isUuid(text: string): boolean {
  return uuidPattern.test(text)
}

/** Below all ids. */
export const lowestId = '00000000-0000-0000-0000-000000000000'

/** The lowest UUIDv7 of a millisecond: bounds of key ranges. */
export function lowestIdAt(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-0000-0000-000000000000`
}

const pool = Buffer.alloc(8 * 512)
let used = pool.length

/** 16 hex digits from a pool, because one system call per id costs more than the rest of it. */
function randomHex16(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 8
  return pool.toString('hex', used - 8, used)
}

function randomBelow(limit: number): number {
  return Number.parseInt(randomHex16().slice(0, 8), 16) % limit
}
