import { api } from '../api/client.ts'
import { noticeRefusal } from '../api/session.ts'
import type { Live } from './live.ts'

const pollMs = 5_000

/** Puts what there is to know until `signal` aborts. */
export async function watch(put: (live: Live) => void, signal: AbortSignal): Promise<void> {
  let last: Live = { connection: 'connecting', stats: undefined, heardAtMs: 0 }
  const tell = (change: Partial<Live>) => {
    last = { ...last, ...change }
    put(last)
  }
  while (!signal.aborted) {
    try {
      tell({ connection: 'polling', stats: await api().stats(), heardAtMs: Date.now() })
    } catch (error) {
      noticeRefusal(error)
      tell({ connection: 'away' })
    }
    await pause(pollMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
