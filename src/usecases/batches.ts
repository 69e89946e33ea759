import type { Batch, BatchLedger } from '../domain/batch.ts'
import { TaskError } from '../domain/errors.ts'
import { lowestId } from '../domain/id.ts'
import type { PacketRef } from '../domain/packet.ts'
import type { Notices, Sleep } from '../domain/ports.ts'
import type { UseCases } from './index.ts'

export type BatchDeps = {
  batches: Pick<BatchLedger, 'read' | 'page' | 'finished' | 'cancelSome' | 'retrySome'>
  /** Finishes those of these batches that are at their end. */
  settle: (ids: readonly string[]) => Promise<void>
  notices: Pick<Notices, 'canceled'>
  announce: (packets: readonly PacketRef[]) => void
  sleep: Sleep
}

type BatchCases = Pick<UseCases, 'readBatch' | 'listBatches' | 'awaitBatch' | 'cancelBatch' | 'retryBatch'>

/** Batches: how far they are, and what is done to all of their tasks. */
export function handlingBatches(deps: BatchDeps): BatchCases {
  const untilFinished = waitingRoom(deps)
  return {
    readBatch: (id) => read(deps, id),
    listBatches: deps.batches.page,
    async awaitBatch(id, waitMs, signal) {
      const batch = await read(deps, id)
      if (batch.finishedAt !== null) return batch
      await untilFinished(batch.id, waitMs, signal)
      return read(deps, id)
    },
    async cancelBatch(id) {
      await known(deps, id)
      let canceled = 0
      for (let after: string | null = lowestId; after !== null; ) {
        const step = await deps.batches.cancelSome(id, after)
        if (step.interrupted.length > 0) deps.notices.canceled(step.interrupted)
        canceled += step.canceled
        after = step.next
      }
      await deps.settle([id])
      return canceled
    },
    async retryBatch(id) {
      await known(deps, id)
      let retried = 0
      for (let after: string | null = lowestId; after !== null; ) {
        const step = await deps.batches.retrySome(id, after)
        deps.announce(step.packets)
        retried += step.retried
        after = step.next
      }
      return retried
    },
  }
}

/** Who sees that everything is final also sees the batch finished: if nobody has noticed yet, it is done now. */
async function read(deps: BatchDeps, id: string): Promise<Batch> {
  const batch = await known(deps, id)
  const { scheduled, pending, processing } = batch.counts
  if (batch.finishedAt !== null || batch.importing || scheduled + pending + processing > 0) return batch
  await deps.settle([id])
  return known(deps, id)
}

async function known({ batches }: BatchDeps, id: string): Promise<Batch> {
  const batch = await batches.read(id)
  if (!batch) throw new TaskError('batch-not-found', `there is no batch ${id}`)
  return batch
}

const lookEveryMs = 25

/** One small query every 25 ms for all who wait for a batch in this process, and none when nobody does. */
function waitingRoom({ batches, sleep }: BatchDeps) {
  const waiters = new Map<string, Set<() => void>>()
  let looking = false

  /** Resolves when the batch is finished, when the time is over or the signal aborts. */
  return async (id: string, waitMs: number, signal: AbortSignal): Promise<void> => {
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
      const done = await batches.finished([...waiters.keys()]).catch(() => []) // an outage: look again
      for (const id of done) for (const tell of waiters.get(id) ?? []) tell()
      await sleep(lookEveryMs)
    }
    looking = false
  }
}
