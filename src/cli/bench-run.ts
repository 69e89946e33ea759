import { setTimeout as sleep } from 'node:timers/promises'
import type { Millrace, TaskSummary } from '../client/index.ts'
import { isFinal } from '../client/task.ts'
import { tasksOf } from './batch-tasks.ts'
import { CommandFailure } from './exit-code.ts'
import type { Progress } from './progress.ts'

/** What a benchmark submits: `tasks` of a type, `batch` in one request, `connections` requests under way. */
export type Plan = { type: string; payload: unknown; tasks: number; batch: number; connections: number }

export type Submitted = { batchIds: string[]; requestMs: number[]; tookMs: number }

const lookEveryMs = 50

/** A benchmark without a worker would last for ever. */
export async function mustBeServed(millrace: Millrace, { type }: Plan): Promise<void> {
  if (await isServed(millrace, type)) return
  throw new CommandFailure(`no live worker runs tasks of type ${type} in the queue default`)
}

/** Whether a live worker runs tasks of this type in the default queue. */
export async function isServed(millrace: Millrace, type: string): Promise<boolean> {
  const workers = await millrace.workers()
  return workers.some(({ types, queues }) => types.includes(type) && queues.includes('default'))
}

/** Submits all of them; every request is timed. */
export async function submitAll(millrace: Millrace, plan: Plan, progress: Progress): Promise<Submitted> {
  const submitted: Submitted = { batchIds: [], requestMs: [], tookMs: 0 }
  const beganAt = performance.now()
  let left = plan.tasks
  await Promise.all(Array.from({ length: plan.connections }, connection))
  return { ...submitted, tookMs: performance.now() - beganAt }

  async function connection() {
    while (left > 0) {
      const size = Math.min(plan.batch, left)
      left -= size
      await submitOne(size)
      progress.update(plan.tasks - left)
    }
  }

  async function submitOne(size: number) {
    const askedAt = performance.now()
    const task = { type: plan.type, payload: plan.payload }
    const { batchId } = await millrace.submitBatch(Array.from({ length: size }, () => task))
    submitted.requestMs.push(performance.now() - askedAt)
    submitted.batchIds.push(batchId)
  }
}

/** Resolves with all tasks when the last one is final. Batches are looked at one after the other, the oldest first. */
export async function untilFinal(
  millrace: Millrace,
  batchIds: readonly string[],
  progress: Progress,
): Promise<TaskSummary[]> {
  const done: TaskSummary[] = []
  const onLook = (final: number) => progress.update(done.length + final)
  for (const batchId of batchIds) done.push(...(await batchFinal(millrace, batchId, onLook)))
  return done
}

async function batchFinal(
  millrace: Millrace,
  batchId: string,
  onLook: (final: number) => void,
): Promise<TaskSummary[]> {
  for (;;) {
    const tasks = await tasksOf(millrace, batchId)
    const final = tasks.filter(({ status }) => isFinal(status)).length
    onLook(final)
    if (final === tasks.length) return tasks
    await sleep(lookEveryMs)
  }
}
