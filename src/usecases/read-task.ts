import type { TaskReader } from '../domain/ports.ts'
import type { TaskDetail } from '../domain/task.ts'
import { taskNotFound } from './change.ts'
import type { Gather } from './submit.ts'

export type ReadTask = (id: string) => Promise<TaskDetail>

/** A task may come with a payload and a result of 1 MiB each, so a statement reads a hundred at most. */
const weight = 5

/** Reading tasks with their history; whoever asks at the same time is answered by one statement. */
export function readingTasks({
  reader,
  gather,
}: {
  reader: Pick<TaskReader, 'details'>
  gather: Gather
}): ReadTask {
  const read = gather(
    async (ids: string[]) => {
      const tasks = new Map((await reader.details(ids)).map((task) => [task.id, task]))
      return ids.map((id) => tasks.get(id.toLowerCase()))
    },
    { sizeOf: () => weight },
  )
  return async (id) => {
    const task = await read(id)
    if (!task) throw taskNotFound(id)
    return task
  }
}
