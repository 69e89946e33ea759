import { setTimeout as sleep } from 'node:timers/promises'
import type { Millrace, Status, TaskSummary } from '../client/index.ts'
import { isFinal } from '../client/task.ts'
import { tasksOf } from './batch-tasks.ts'
import { isServed } from './bench-run.ts'
import { CommandFailure } from './exit-code.ts'
import type { Progress } from './progress.ts'
import { grouped } from './words.ts'

export const demoTasks = 1_000

const exampleType = 'default'
const lookEveryMs = 150
const workerWithinMs = 30_000
/** The tasks take 3 s together; a machine that cannot run them in this time will not. */
const doneWithinMs = 300_000

/** Resolves when a worker lives that runs the example tasks. */
export async function exampleWorker(millrace: Millrace, signal: AbortSignal): Promise<void> {
  for (const untilMs = performance.now() + workerWithinMs; ; await sleep(100, undefined, { signal })) {
    if (await isServed(millrace, exampleType)) return
    if (performance.now() > untilMs) {
      throw new CommandFailure(
        `no worker runs tasks of type ${exampleType} in the queue default: start one with \`millrace worker\`, without TASKS and QUEUES`,
      )
    }
  }
}

/** Submits the example tasks in one batch. Answers its id. */
export async function submitExamples(millrace: Millrace): Promise<string> {
  const tasks = Array.from({ length: demoTasks }, (_, at) => ({ payload: `task ${at + 1}` }))
  return (await millrace.submitBatch(tasks)).batchId
}

/** Follows a batch until all of its tasks are final, and answers them. */
export async function follow(
  millrace: Millrace,
  batchId: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<TaskSummary[]> {
  for (const untilMs = performance.now() + doneWithinMs; ; await sleep(lookEveryMs, undefined, { signal })) {
    const tasks = await tasksOf(millrace, batchId)
    const done = tasks.filter(({ status }) => isFinal(status)).length
    progress.update(done, `${grouped(count(tasks, 'processing'))} running`)
    if (done === demoTasks) return tasks
    if (performance.now() > untilMs) throw new CommandFailure(`${demoTasks - done} tasks are still not done`)
  }
}

function count(tasks: readonly TaskSummary[], wanted: Status): number {
  return tasks.filter(({ status }) => status === wanted).length
}
