import type { Log, Sleep } from '../../src/domain/ports.ts'
import { batch } from '../../src/runtime/batch.ts'
import type { Gather } from '../../src/usecases/submit.ts'
import { until } from './until.ts'

type Line = { level: keyof Log; fields: object; message: string }

/** A log that keeps its lines. */
export function keptLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = []
  const at = (level: keyof Log) => (fields: object, message: string) =>
    void lines.push({ level, fields, message })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

/** Time that passes when the test says so. */
export function handClock() {
  const sleepers = new Set<{ ms: number; wake: () => void }>()
  const slept: number[] = []

  const sleep: Sleep = (ms, signal) =>
    new Promise((resolve, reject) => {
      slept.push(ms)
      if (signal?.aborted) return reject(signal.reason)
      const sleeper = { ms, wake: () => void (sleepers.delete(sleeper) && resolve()) }
      sleepers.add(sleeper)
      signal?.addEventListener('abort', () => void (sleepers.delete(sleeper) && reject(signal.reason)))
    })

  return {
    sleep,
    /** All that was slept so far, in milliseconds. */
    slept,
    /** How long those sleep who sleep now. */
    sleeping: () => [...sleepers].map(({ ms }) => ms),
    /** Waits until somebody sleeps for `ms`, then lets that time pass. */
    async pass(ms: number): Promise<void> {
      const sleeper = await until(() => [...sleepers].find((one) => one.ms === ms), {
        what: `somebody sleeps for ${ms} ms`,
      })
      sleeper.wake()
    },
  }
}

export const gatherOn =
  (lanes: number, maxSize = 500): Gather =>
  (run, options) =>
    batch(run, { maxSize, lanes, ...options })

/** Lets everything happen that can without time passing or anybody answering. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
