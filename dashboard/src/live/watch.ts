import { MillraceError } from '../../../src/client/index.ts'
import { api } from '../api/client.ts'
import { noticeRefusal } from '../api/session.ts'
import type { Live } from './live.ts'

/** How long nothing may be heard before the page asks by itself, and how often it asks then. */
const pollMs = 5_000

/**
 * Puts what there is to know until `signal` aborts: by the server's stream, and by asking while that does not come through,
 * because it broke, or because something in between holds it back.
 */
export async function watch(put: (live: Live) => void, signal: AbortSignal): Promise<void> {
  const unwanted = new AbortController()
  const until = AbortSignal.any([signal, unwanted.signal])
  let last: Live = { connection: 'connecting', stats: undefined, heardAtMs: 0 }
  const tell = (change: Partial<Live>) => {
    last = { ...last, ...change }
    if (!signal.aborted) put(last)
  }
  const failed = (error: unknown) => {
    if (until.aborted) return
    noticeRefusal(error)
    tell({ connection: 'away' })
    // Asking again with the same key would be refused again.
    if (error instanceof MillraceError && error.status === 401) unwanted.abort()
  }
  await Promise.all([stream(tell, failed, until), poll(() => last, { tell, failed, until })])
  await aborted(signal)
}

type Tell = (change: Partial<Live>) => void

async function stream(tell: Tell, failed: (error: unknown) => void, until: AbortSignal): Promise<void> {
  const onConnection = (isOpen: boolean) => isOpen || tell({ connection: 'away' })
  while (!until.aborted) {
    try {
      for await (const stats of api().live({ signal: until, onConnection }))
        tell({ connection: 'live', stats, heardAtMs: Date.now() })
    } catch (error) {
      failed(error)
    }
    await pause(pollMs, until)
  }
}

type Polling = { tell: Tell; failed: (error: unknown) => void; until: AbortSignal }

async function poll(last: () => Live, { tell, failed, until }: Polling): Promise<void> {
  for (;;) {
    await pause(pollMs, until)
    if (until.aborted) return
    if (last().connection === 'live') continue
    try {
      const stats = await api().stats()
      if (last().connection !== 'live') tell({ connection: 'polling', stats, heardAtMs: Date.now() })
    } catch (error) {
      failed(error)
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
