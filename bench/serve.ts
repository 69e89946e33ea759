import { setTimeout as sleep } from 'node:timers/promises'
import type { Delay, Flow, Shape, Work } from './contestant.ts'

type Calls = Record<string, (...args: never[]) => unknown>

/** Answers what the benchmark asks of this program: a call with its arguments in, its result out. */
export function serve(calls: Calls): void {
  process.on('message', ({ id, call, args }: { id: number; call: string; args: never[] }) => {
    void answer()

    async function answer() {
      try {
        say({ id, result: (await calls[call]?.(...args)) ?? null })
      } catch (error) {
        say({ id, error: error instanceof Error ? error.stack : String(error) })
      }
    }
  })
  process.on('disconnect', () => process.exit())
  say({ type: 'ready' })
}

/** What every task carries: 100 characters of JSON, the same for everybody. In a flow it tells when it was due. */
export type Payload = { dueAtMs?: number; text: string }
export type Put = (payloads: readonly Payload[], keyOf?: KeyOf) => Promise<unknown>
type KeyOf = (nth: number) => string
export const payload: Payload = payloadOf({})

function payloadOf(fields: Omit<Payload, 'text'>): Payload {
  return { ...fields, text: 'x'.repeat(100 - JSON.stringify({ ...fields, text: '' }).length) }
}

/** Mostly quick, now and then slow: of a hundred tasks ninety do nothing, nine wait 20 ms, one waits a second. */
function mixedMs(nth: number): number {
  const place = nth % 100
  return place === 0 ? 1_000 : place < 10 ? 20 : 0
}

/**
 * A handler that does nothing, or waits, and says when the first of so many tasks began, when it has seen all of
 * them through, and how late each began that was due at a moment.
 */
export function nothing(
  expected: number,
  sleepMs: Work['sleepMs'],
): (task?: unknown) => null | Promise<null> {
  let begun = 0
  let ended = 0
  let delays: Delay[] = []
  return (task) => {
    begun += 1
    if (begun === 1) say({ type: 'first', atMs: nowMs() })
    const { dueAtMs } = (task ?? {}) as Partial<Payload>
    if (dueAtMs !== undefined) note([dueAtMs, nowMs() - dueAtMs])
    const ms = sleepMs === 'mixed' ? mixedMs(begun) : sleepMs
    return ms > 0 ? sleep(ms).then(end) : end()
  }

  function end(): null {
    ended += 1
    if (ended === expected) say({ type: 'all' })
    return null
  }

  function note(delay: Delay) {
    if (delays.length === 0) setTimeout(tell, tellEveryMs)
    delays.push(delay)
  }

  function tell() {
    say({ type: 'delays', delays })
    delays = []
  }
}

const tellEveryMs = 250

/** The two ways in which a load arrives, made of `put`, which submits several tasks in one request. */
export function loadWith(put: Put) {
  return { submit, flow }

  async function submit(count: number, { inOne, lanes, keys }: Shape): Promise<void> {
    let left = count
    const keyOf = typeof keys === 'number' ? (nth: number) => `key ${nth % keys}` : keys && (() => keys)
    const lane = async () => {
      while (left > 0) {
        const size = Math.min(inOne, left)
        left -= size
        await put(
          Array.from({ length: size }, () => payload),
          keyOf || undefined,
        )
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  }

  async function flow({ perSecond, seconds }: Flow): Promise<void> {
    const fromMs = nowMs()
    const count = Math.round(perSecond * seconds)
    const underWay: Promise<unknown>[] = []
    while (underWay.length < count) {
      const dueAtMs = fromMs + (underWay.length * 1000) / perSecond
      if (dueAtMs > nowMs()) await sleep(1)
      else underWay.push(put([payloadOf({ dueAtMs })]))
    }
    await Promise.all(underWay)
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

function say(message: object): void {
  process.send?.(message)
}
