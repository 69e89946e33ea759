import type { Sleep } from '../domain/ports.ts'
import type { BrokerState, Finding, SettingReport, SystemState, SystemStore } from '../domain/system.ts'

export type SystemDeps = {
  system: SystemStore
  /** Null without a broker. */
  broker: () => BrokerState | null
  settings: readonly SettingReport[]
  check: () => Promise<Finding[]>
  sleep: Sleep
}

/** Measuring looks at files, and checking connects to everything: both are done now and then, and nobody waits for long. */
const freshMs = 10_000
const patienceMs = 30

/** How the installation is, from what was measured and checked a moment ago, and how its ledger is now. */
export function readingSystem(deps: SystemDeps): { readSystem(): Promise<SystemState> } {
  const sizes = remembered(deps.system.sizes, deps.sleep)
  const checks = remembered(deps.check, deps.sleep)
  return {
    async readSystem() {
      const [{ oldestUnsentAgeMs, ...ledger }, measured, checked] = await Promise.all([
        deps.system.ledger(),
        sizes(),
        checks(),
      ])
      const { version = null, sizeBytes = null, partitions = [] } = measured.value ?? {}
      const broker = deps.broker()
      return {
        database: { version, sizeBytes, measuredAt: measured.at },
        partitions,
        ledger,
        relay: broker && { lagMs: oldestUnsentAgeMs ?? 0 },
        broker,
        settings: [...deps.settings],
        checks: checked.value ?? [],
        checkedAt: checked.at,
      }
    },
  }
}

type Remembered<T> = { value: T | undefined; at: string | null }

/** What was read last; read again by whoever asks when that is old, who gets the old one if it takes long. */
function remembered<T>(read: () => Promise<T>, sleep: Sleep): () => Promise<Remembered<T>> {
  let last: Remembered<T> = { value: undefined, at: null }
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  return async () => {
    if (performance.now() - readAtMs > freshMs) {
      reading ??= again().finally(() => {
        reading = undefined
      })
      reading.catch(() => {}) // whoever waits is told, and otherwise the next one
      await Promise.race([reading, sleep(patienceMs)])
    }
    return last
  }

  async function again(): Promise<void> {
    last = { value: await read(), at: new Date().toISOString() }
    readAtMs = performance.now()
  }
}
