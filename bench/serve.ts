import { setTimeout as sleep } from 'node:timers/promises'
import type { Shape } from './contestant.ts'

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

/**
 * A handler that does nothing, or waits, and says when the first of so many tasks began and when it has seen all of
 * them through.
 */
export function nothing(expected: number, sleepMs: number): () => null | Promise<null> {
  let begun = 0
  let ended = 0
  return () => {
    begun += 1
    if (begun === 1) say({ type: 'first', atMs: performance.timeOrigin + performance.now() })
    return sleepMs > 0 ? sleep(sleepMs).then(end) : end()
  }

  function end(): null {
    ended += 1
    if (ended === expected) say({ type: 'all' })
    return null
  }
}

/** Calls `put` for parts of `count` things, `inOne` at a time, several under way. */
export async function putAll(
  count: number,
  { inOne, lanes }: Shape,
  put: (size: number) => Promise<unknown>,
) {
  let left = count
  const lane = async () => {
    while (left > 0) {
      const size = Math.min(inOne, left)
      left -= size
      await put(size)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** 100 characters of JSON, the same for everybody. */
export const payload = { text: 'x'.repeat(100 - '{"text":""}'.length) }

function say(message: object): void {
  process.send?.(message)
}
