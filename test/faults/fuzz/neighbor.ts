import { setTimeout as sleep } from 'node:timers/promises'
import { hangsAfterMs } from './connection.ts'

const everyMs = 200

/** A well-behaved client beside all the others: submits a task and reads it, again and again, and takes the time. */
export function watchNeighbor(url: string) {
  const stopping = new AbortController()
  const complaints: string[] = []
  let slowestMs = 0
  const done = watch()
  return {
    complaints,
    async stop() {
      stopping.abort()
      await done
      return { slowestMs }
    },
  }

  async function watch() {
    while (!stopping.signal.aborted) {
      const beganMs = performance.now()
      await submitAndRead().catch((error) => complaints.push(`a usual request: ${error}`))
      slowestMs = Math.max(slowestMs, (performance.now() - beganMs) / 2)
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  async function submitAndRead() {
    const { id } = await ask('/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"type":"usual","payload":1}',
    })
    await ask(`/tasks/${id}`)
  }

  async function ask(path: string, request: RequestInit = {}): Promise<{ id: string }> {
    const response = await fetch(url + path, { ...request, signal: AbortSignal.timeout(hangsAfterMs) })
    if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`)
    return response.json() as Promise<{ id: string }>
  }
}
