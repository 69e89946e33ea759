import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { AttemptRef, WorkerInfo } from '../domain/ports.ts'
import type { Service } from '../runtime/service.ts'

export type Announcement = Omit<WorkerInfo, 'running' | 'startedAt' | 'lastSeenAt'>

/** `shared`: how many tasks run, and the turns of the main thread's event loop. */
export type LifelineData = {
  databaseUrl: string
  worker: Announcement
  shared: Int32Array<SharedArrayBuffer>
}

export type LifelineMessage =
  | { kind: 'alive' }
  | { kind: 'lost'; reason: string }
  | { kind: 'packets'; more: boolean }
  | { kind: 'queues' }
  | { kind: 'canceled'; attempts: AttemptRef[] }

export type LifelineDeps = {
  databaseUrl: string
  worker: Announcement
  running: () => number
  hear: (message: LifelineMessage) => void
}

const turnMs = 500

export type Lifeline = {
  service: Service
  /** Resolves when the worker is known to the others. */
  known: Promise<void>
}

/**
 * What a worker lives by: a thread with a connection of its own that holds the worker's lock, beats its heart and
 * listens for notices.
 */
export function startLifeline({ databaseUrl, worker, running, hear }: LifelineDeps): Lifeline {
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const data: LifelineData = { databaseUrl, worker, shared }
  const thread = new Worker(new URL('./lifeline-thread.ts', import.meta.url), {
    workerData: data,
    execArgv: [],
  })
  const known = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  thread.on('message', (message: LifelineMessage) => {
    if (message.kind === 'alive') known.resolve()
    hear(message)
  })
  thread.on('error', known.reject)
  thread.on('exit', () => gone.resolve())
  const stopping = new AbortController()
  void countTurns()
  return { service: { name: 'lifeline', stop }, known: known.promise }

  async function countTurns() {
    while (!stopping.signal.aborted) {
      Atomics.store(shared, 0, running())
      Atomics.add(shared, 1, 1)
      await sleep(turnMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  async function stop() {
    stopping.abort()
    thread.postMessage('stop')
    await gone.promise
  }
}
