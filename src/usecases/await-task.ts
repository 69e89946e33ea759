import type { Sleep, TaskReader } from '../domain/ports.ts'
import { isFinal, type TaskDetail } from '../domain/task.ts'
import { lookingRounds, lookPauseMs } from './look.ts'
import type { ReadTask } from './read-task.ts'

export type AwaitDeps = {
  read: ReadTask
  reader: Pick<TaskReader, 'settled'>
  sleep: Sleep
}

/**
 * Waiting for tasks to become final. However many wait in this process, the database answers one small query every
 * 25 ms for all of them, and none when nobody waits.
 */
export function awaiting({ read, reader, sleep }: AwaitDeps) {
  const waiters = new Map<string, Set<() => void>>()
  const look = lookingRounds({
    isWanted: () => waiters.size > 0,
    round,
    sleep,
    pauseMs: () => lookPauseMs(waiters.size),
  })

  return { awaitTask }

  async function awaitTask(id: string, waitMs: number, signal: AbortSignal): Promise<TaskDetail> {
    const task = await read(id)
    if (waitMs <= 0 || isFinal(task.status)) return task
    await settled(task.id, waitMs, signal) // as the database spells it
    return read(id)
  }

  /** Resolves when the task is final, when the time is over or the signal aborts. */
  async function settled(id: string, waitMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const waiter = () => over.abort()
    const these = waiters.get(id) ?? new Set()
    waiters.set(id, these.add(waiter))
    look()
    await sleep(waitMs, AbortSignal.any([signal, over.signal])).catch(() => {})
    these.delete(waiter)
    if (these.size === 0) waiters.delete(id)
  }

  async function round(): Promise<void> {
    for (const id of await reader.settled([...waiters.keys()]))
      for (const tell of waiters.get(id) ?? []) tell()
  }
}
