import { type Millrace, type Task, TaskCanceledError, TaskFailedError } from '../client/index.ts'
import { parseReply } from '../client/reply.ts'
import { waitUntilFinal } from '../client/wait.ts'
import { type OutputOptions, printOne } from './output.ts'
import { taskPath } from './task-path.ts'
import { taskLines } from './task-view.ts'

type WaitingOptions = OutputOptions & { timeoutMs: number | undefined }

/** Prints the task when it is final; fails, so that the exit code tells, if it has no result. */
export async function awaitAndPrint(millrace: Millrace, id: string, options: WaitingOptions): Promise<void> {
  taskPath(id)
  const reply = await waitUntilFinal(millrace.request, id.trim(), { timeoutMs: options.timeoutMs })
  const task = parseReply<Task>(reply)
  printOne(options, reply.text, taskLines(reply.text))
  if (task.status === 'failed') throw new TaskFailedError(task)
  if (task.status === 'canceled') throw new TaskCanceledError(task)
}
