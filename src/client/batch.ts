import { MillraceError } from './errors.ts'
import { type Call, pause } from './http.ts'
import type { Counts } from './stats.ts'
import type { Submission } from './task.ts'
import type { WaitOptions } from './wait.ts'

/** How far a batch is. */
export type Batch = {
  id: string
  /** Tasks that were stored with it. */
  total: number
  counts: Counts
  createdAt: string
  /** When the last of its tasks became final; null while one is not. */
  finishedAt: string | null
  /** Tasks are still being added to it. */
  importing: boolean
  /** The task that was submitted when it was finished. */
  thenId: string | null
}

/** `next` is the cursor of the page after this one. */
export type BatchPage = { data: Batch[]; page: { next: string | null } }

export type BatchOptions = {
  /** Submitted once, when the last task is final: with the counts and this payload as its payload. */
  then?: Partial<Omit<Submission, 'idempotencyKey'>>
  /** Where the batch is posted as JSON once its last task is final. */
  callbackUrl?: string
}

/** A batch, to follow it. */
export type BatchHandle = {
  readonly id: string
  get(): Promise<Batch>
  /** Resolves when every task is final, whichever way they ended; BatchTimeoutError after `timeoutMs`. */
  wait(options?: WaitOptions & { onProgress?: (batch: Batch) => void }): Promise<Batch>
  /** Cancels all that is not final; resolves with how many that were. */
  cancel(): Promise<number>
  /** Makes all that has failed pending again; resolves with how many that were. */
  retry(): Promise<number>
}

/** The batch was not finished when the wait ended. It goes on. */
export class BatchTimeoutError extends MillraceError {
  readonly batch: Batch

  constructor(batch: Batch, timeoutMs: number) {
    const { completed, failed, canceled } = batch.counts
    const over = completed + failed + canceled
    super(
      'batch-timeout',
      `${batch.total - over} of the ${batch.total} tasks of batch ${batch.id} were not final after ${timeoutMs} ms`,
    )
    this.name = 'BatchTimeoutError'
    this.batch = batch
  }
}

type Ask = <Body>(call: Call) => Promise<Body>

/** Moving a million tasks takes its time. */
const moveTimeoutMs = 600_000

export function batchHandle(ask: Ask, id: string): BatchHandle {
  const path = `/batches/${encodeURIComponent(id)}`
  const move = <Done>(verb: string) =>
    ask<Done>({ method: 'POST', path: `${path}/${verb}`, repeatable: true, timeoutMs: moveTimeoutMs })
  return {
    id,
    get: () => ask<Batch>({ path, repeatable: true }),
    wait: (options = {}) => waitUntilFinished(ask, path, options),
    cancel: async () => (await move<{ canceled: number }>('cancel')).canceled,
    retry: async () => (await move<{ retried: number }>('retry')).retried,
  }
}

const longPollSeconds = 30
/** How often somebody who follows the progress hears of it. */
const progressSeconds = 1
const answerWithinMs = 10_000
const soonMs = 250
/** About three minutes: once the batch has been seen, a server that restarts is no reason to give up. */
const patientRetries = 40

type Waiting = WaitOptions & { onProgress?: (batch: Batch) => void }

async function waitUntilFinished(
  ask: Ask,
  path: string,
  { timeoutMs = Number.POSITIVE_INFINITY, signal, onProgress }: Waiting,
): Promise<Batch> {
  const startedAt = performance.now()
  const stepSeconds = onProgress ? progressSeconds : longPollSeconds
  let retries: { retries?: number } = {}
  for (;;) {
    const askedAt = performance.now()
    const leftMs = timeoutMs - (askedAt - startedAt)
    const wait = Math.max(0, Math.min(stepSeconds, leftMs / 1000))
    const batch = await ask<Batch>({
      path,
      query: { wait: wait.toFixed(3) },
      repeatable: true,
      timeoutMs: Math.ceil(wait * 1000) + answerWithinMs,
      signal,
      ...retries,
    })
    retries = { retries: patientRetries }
    onProgress?.(batch)
    if (batch.finishedAt !== null) return batch
    if (leftMs <= 0) throw new BatchTimeoutError(batch, timeoutMs)
    // A server that answers before its time must not be hammered.
    if (performance.now() - askedAt < soonMs) await pause(Math.max(0, Math.min(soonMs, leftMs)), signal)
  }
}
