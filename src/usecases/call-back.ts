import {
  type BatchCallbackStore,
  type CallbackStore,
  deliverySubmission,
  type EndedBatch,
} from '../domain/callback.ts'
import { expectedCapacity, type PacketRef, pack } from '../domain/packet.ts'
import type { NewTask } from '../domain/submission.ts'
import type { JsonText, Task } from '../domain/task.ts'

export type CallBackDeps = {
  callbacks: CallbackStore
  newId: () => string
  announce: (packets: readonly PacketRef[]) => void
  /** A task as clients see it. */
  describe: (task: Task) => JsonText
}

const lookEveryMs = 500
/** Between the chunks of a long look, so that it stays a small part of what the database does. */
const lookOnMs = 250
const chunkSize = 5_000

/**
 * Answers the round that looks for tasks which have become final and of which somebody is to be told, and makes the
 * deliveries. Nothing in the way of a task waits for it or wakes it: tasks without a callback pay nothing.
 */
export function callingBack(deps: CallBackDeps): () => Promise<number> {
  let after: string | null = null
  return async () => {
    const { ids, next } = await deps.callbacks.ended(after, chunkSize)
    await settleEnded(deps, ids)
    after = next
    return next === null ? lookEveryMs : lookOnMs
  }
}

/** Makes the deliveries for those of these tasks that are final and have a callback. */
export async function settleEnded(deps: CallBackDeps, ids: readonly string[]): Promise<void> {
  for (let left = ids.length; left > 0; ) {
    const { settled, packets } = await deps.callbacks.settle(
      ids,
      (task, url) => delivery(deps, task, url),
      loadOf,
    )
    deps.announce(packets)
    if (settled === 0) return
    left -= settled
  }
}

export type BatchCallBackDeps = Pick<CallBackDeps, 'newId' | 'announce'> & {
  callbacks: BatchCallbackStore
}

/** The same for batches: a look of one statement, and no part of finishing a batch. */
export function callingBackBatches({ callbacks, newId, announce }: BatchCallBackDeps): () => Promise<number> {
  let after: string | null = null
  return async () => {
    const { ids, next } = await callbacks.ended(after, chunkSize)
    if (ids.length > 0)
      announce(
        await callbacks.settle(ids, (ended) => loadOf(ended.map((one) => batchDelivery(newId(), one)))),
      )
    after = next
    return next === null ? lookEveryMs : lookOnMs
  }
}

function batchDelivery(id: string, { batch, url, queue }: EndedBatch): NewTask {
  return { ...deliverySubmission({ url, body: JSON.stringify(batch), about: { id: batch.id, queue } }), id }
}

/** Its key names the end that it tells of. */
function delivery({ newId, describe }: CallBackDeps, task: Task, url: string): NewTask {
  const { id, finishedAt } = task
  const submission = deliverySubmission({ url, body: describe(task), about: task })
  return { ...submission, id: newId(), idempotencyKey: `webhook:${id}:${finishedAt}` }
}

function loadOf(fresh: readonly NewTask[]) {
  const { tasks: now, packets } = pack(fresh, () => expectedCapacity)
  return { now, packets, later: [], batches: [] }
}
