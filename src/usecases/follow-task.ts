import { TaskError } from '../domain/errors.ts'
import { isSame, type Sighting, sightingOf } from '../domain/event.ts'
import type { Sleep, TaskReader } from '../domain/ports.ts'
import { isFinal, type TaskDetail } from '../domain/task.ts'
import { lookingRounds, lookPauseMs, told } from './look.ts'
import type { ReadTask } from './read-task.ts'

export type FollowDeps = {
  read: ReadTask
  reader: Pick<TaskReader, 'changed'>
  sleep: Sleep
}

type Follow = { seen: Omit<Sighting, 'id'> | undefined; signal: AbortSignal }

const outageWaitMs = 1_000

/**
 * Following tasks: as they are, then again whenever they have changed, until they are final. Nothing is remembered
 * between two looks but what the follower has seen, so that anyone may go on where another stopped, and one who is slow
 * misses what lies between and never the end. One query every 25 ms for all who follow in this process.
 */
export function following({ read, reader, sleep }: FollowDeps) {
  const waiters = new Set<{ seen: Sighting; tell: () => void }>()
  const look = lookingRounds({
    isWanted: () => waiters.size > 0,
    round,
    sleep,
    pauseMs: () => lookPauseMs(waiters.size),
  })

  return { followTask }

  /** Fails if there is no such task. What was `seen` already is not told again; nothing, if that was the end. */
  async function followTask(id: string, { seen: before, signal }: Follow) {
    const task = await read(id)
    const seen = before && { id: task.id, ...before }
    if (seen && isFinal(task.status) && isSame(seen, sightingOf(task))) return undefined
    return changesOf(task, { seen, signal })
  }

  async function* changesOf(
    task: TaskDetail,
    { seen, signal }: { seen: Sighting | undefined; signal: AbortSignal },
  ): AsyncGenerator<TaskDetail> {
    for (let now: TaskDetail | undefined = task; now; now = await nextOf(sightingOf(now), signal)) {
      const sighting = sightingOf(now)
      if (!seen || !isSame(seen, sighting)) yield now
      if (isFinal(now.status)) return
      seen = sighting
    }
  }

  /** The task when it is another than it was; undefined when the signal aborts. */
  async function nextOf(seen: Sighting, signal: AbortSignal): Promise<TaskDetail | undefined> {
    await changed(seen, signal)
    while (!signal.aborted) {
      try {
        return await read(seen.id)
      } catch (error) {
        if (error instanceof TaskError) return undefined // gone, long after it was final
        await sleep(outageWaitMs, signal).catch(() => {})
      }
    }
    return undefined
  }

  function changed(seen: Sighting, signal: AbortSignal): Promise<void> {
    return told(signal, (tell) => {
      const waiter = { seen, tell }
      waiters.add(waiter)
      look()
      return () => waiters.delete(waiter)
    })
  }

  async function round(): Promise<void> {
    const asked = [...waiters]
    const known = new Map(asked.map(({ seen }) => [keyOf(seen), seen]))
    const changes = new Map((await reader.changed([...known.values()])).map((now) => [now.id, now]))
    for (const { seen, tell } of asked) {
      const now = changes.get(seen.id)
      if (now && !isSame(now, seen)) tell()
    }
  }
}

function keyOf({ id, status, attempt, progress }: Sighting): string {
  return `${id} ${status} ${attempt} ${progress}`
}
