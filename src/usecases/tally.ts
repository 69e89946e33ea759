import { countIn } from '../domain/histogram.ts'
import type { Log, Sleep } from '../domain/ports.ts'
import type { RollupStore, Tally } from '../domain/rollup.ts'
import { reportTo } from './report.ts'

export type TallyDeps = { store: Pick<RollupStore, 'addTimes'>; sleep: Sleep; log: Log }

const everyMs = 10_000

type Heard = { queue: string; type: string; waiting: number[]; running: number[] }

/**
 * Keeps in memory how long tasks wait and run, and writes it down every ten seconds if there is something. What a
 * process that is killed has not written is missing in the charts, and nowhere else.
 */
export function tallyBook({ store, sleep, log }: TallyDeps): Tally & { stop(): Promise<void> } {
  let heard = new Map<string, Map<string, Heard>>()
  const stopping = new AbortController()
  let isFailing = false
  const done = keepWriting()

  return {
    waited: (task) => countIn(of(task.queue, task.type).waiting, task.waitedMs),
    ran: ({ queue, type }, ms) => countIn(of(queue, type).running, ms),
    async stop() {
      stopping.abort()
      await done
    },
  }

  function of(queue: string, type: string): Heard {
    const known = heard.get(queue)?.get(type)
    if (known) return known
    const entry = { queue, type, waiting: [], running: [] }
    const types = heard.get(queue) ?? new Map<string, Heard>()
    heard.set(queue, types.set(type, entry))
    return entry
  }

  async function keepWriting(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(everyMs, stopping.signal).catch(() => {})
      await write()
    }
  }

  /** What could not be written is lost: it would come under a later minute. */
  async function write(): Promise<void> {
    const times = [...heard.values()].flatMap((types) => [...types.values()])
    heard = new Map()
    if (times.length === 0) return
    try {
      await store.addTimes(times)
      isFailing = false
    } catch (error) {
      if (!isFailing) reportTo(log, error, 'how long tasks took could not be written down')
      isFailing = true
    }
  }
}
