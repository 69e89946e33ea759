import type { Sleep, TaskReader } from '../domain/ports.ts'
import { isFinal, type TaskDetail } from '../domain/task.ts'
import { taskNotFound } from './change.ts'

export type AwaitDeps = {
  reader: Pick<TaskReader, 'get' | 'settled'>
  sleep: Sleep
}

const lookEveryMs = 25

/**
 * Waiting for tasks to become final. However many wait in this process, the database answers one small query every
 * 25 ms for all of them, and none when nobody waits.
 */
export function awaiting({ reader, sleep }: AwaitDeps) {
  const waiters = new Map<string, Set<() => void>>()
  let looking = false

  return { awaitTask }

  async function awaitTask(id: string, waitMs: number, signal: AbortSignal): Promise<TaskDetail> {
    const task = await read(id)
    if (waitMs <= 0 || isFinal(task.status)) return task
    await settled(task.id, waitMs, signal) // as the database spells it
    return read(id)
  }

  async function read(id: string): Promise<TaskDetail> {
    const task = await reader.get(id)
    if (!task) throw taskNotFound(id)
    return task
  }

  /** Resolves when the task is final, when the time is over or the signal aborts. */
  async function settled(id: string, waitMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const waiter = () => over.abort()
    const these = waiters.get(id) ?? new Set()
    waiters.set(id, these.add(waiter))
    if (!looking) void look()
    await sleep(waitMs, AbortSignal.any([signal, over.signal])).catch(() => {})
    these.delete(waiter)
    if (these.size === 0) waiters.delete(id)
  }

  async function look(): Promise<void> {
    looking = true
    while (waiters.size > 0) {
      const done = await reader.settled([...waiters.keys()]).catch(() => []) // an outage: look again
      for (const id of done) for (const tell of waiters.get(id) ?? []) tell()
      await sleep(lookEveryMs)
    }
    looking = false
  }
}
