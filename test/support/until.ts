import { setTimeout as sleep } from 'node:timers/promises'

type Wait = { deadlineMs?: number; what: string }

/**
 * Waits until `condition` answers something true, and answers that. A condition that throws is not met yet.
 * Fails after `deadlineMs` (10 s unless told) and says what was waited for and what it last saw.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { deadlineMs = 10_000, what }: Wait,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const untilMs = performance.now() + deadlineMs
  let last: unknown
  for (let pauseMs = 5; ; pauseMs = Math.min(100, pauseMs * 1.5)) {
    try {
      const seen = await condition()
      if (isTrue(seen)) return seen
      last = seen
    } catch (error) {
      last = error
    }
    if (performance.now() > untilMs) throw new Error(`${what}: not within ${deadlineMs} ms`, { cause: last })
    await sleep(pauseMs)
  }
}

function isTrue<T>(value: T): value is Exclude<T, false | null | undefined | 0 | ''> {
  return Boolean(value)
}
