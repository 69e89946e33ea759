import { StoreRefusedError } from '../domain/errors.ts'
import type { Log, ProgressStore, Sleep } from '../domain/ports.ts'
import type { ProgressReport } from '../domain/progress.ts'
import { reportTo } from './report.ts'

export type ProgressDeps = { store: ProgressStore; sleep: Sleep; log: Log }

export type ProgressDesk = {
  /** Takes what an attempt says of itself; the latest of each task counts. */
  hear(report: ProgressReport): void
  /** Stores what was heard, once, and hears no more. */
  stop(): Promise<void>
}

/** Between two statements of a worker, however many tasks report however often. */
const everyMs = 250
const mostInOne = 1_000

/**
 * Stores what attempts say of their progress: the first of it at once, then what has come since in one statement
 * every 250 ms. Nothing of it delays a task, and a report that cannot be stored gives way to a later one.
 */
export function progressDesk({ store, sleep, log }: ProgressDeps): ProgressDesk {
  const latest = new Map<string, ProgressReport>()
  const stopping = new AbortController()
  let storing: Promise<void> | undefined

  return {
    hear(report) {
      if (stopping.signal.aborted) return
      latest.set(report.id, report)
      storing ??= storeAll().finally(() => {
        storing = undefined
      })
    },
    async stop() {
      stopping.abort()
      await storing
      if (latest.size > 0) await storeSome()
    },
  }

  async function storeAll() {
    await Promise.resolve() // whatever is said in the same turn goes along
    while (latest.size > 0 && !stopping.signal.aborted) {
      await storeSome()
      await sleep(everyMs, stopping.signal).catch(() => {})
    }
  }

  async function storeSome() {
    const reports = [...latest.values()].slice(0, mostInOne)
    for (const { id } of reports) latest.delete(id)
    try {
      await store.report(reports)
    } catch (error) {
      if (error instanceof StoreRefusedError) return reportTo(log, error, 'progress was not stored')
      for (const report of reports) if (!latest.has(report.id)) latest.set(report.id, report)
    }
  }
}
