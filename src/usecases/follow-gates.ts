import type { Log, Sleep } from '../domain/ports.ts'
import type { QueueGate, QueueStore } from '../domain/queue.ts'
import { reportTo } from './report.ts'

export type FollowDeps = {
  queues: Pick<QueueStore, 'gates'>
  use: (gates: readonly QueueGate[]) => void
  sleep: Sleep
  log: Log
}

/** A notice that was lost costs this much. */
const lookEveryMs = 1_000

/** Keeps a worker informed of which queues are paused or limited, until it is stopped. */
export function followGates({ queues, use, sleep, log }: FollowDeps) {
  const stopping = new AbortController()
  const first = Promise.withResolvers<void>()
  let pause = new AbortController()
  let isFailing = false
  const done = follow()
  return { known: first.promise, look, stop }

  /** Looks again at once: a notice says that something has changed. */
  function look(): void {
    pause.abort()
  }

  async function stop(): Promise<void> {
    stopping.abort()
    pause.abort()
    await done
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      pause = new AbortController()
      await refresh()
      await sleep(lookEveryMs, pause.signal).catch(() => {})
    }
  }

  async function refresh(): Promise<void> {
    try {
      use(await queues.gates())
      isFailing = false
      first.resolve()
    } catch (error) {
      if (!isFailing) reportTo(log, error, 'the settings of queues could not be read; trying until they can')
      isFailing = true
    }
  }
}
