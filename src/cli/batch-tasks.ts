import type { Millrace, TaskSummary } from '../client/index.ts'

/** All tasks of a batch. */
export async function tasksOf(millrace: Millrace, batchId: string): Promise<TaskSummary[]> {
  const tasks: TaskSummary[] = []
  for await (const { data } of millrace.pages({ batchId, limit: 200 })) tasks.push(...data)
  return tasks
}
