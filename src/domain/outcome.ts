import { backoffMs } from './backoff.ts'
import type { PacketId } from './packet.ts'
import { defaultMaxAttempts } from './submission.ts'
import type { JsonText } from './task.ts'

/** A task that this worker claimed: attempt number `attempt` is its own and nobody else's. */
export type ClaimedTask = {
  id: string
  packet: PacketId
  queue: string
  type: string
  payload: JsonText
  attempt: number
  /** How often the handler failed before. */
  failures: number
  /** How often a process died while it ran. Above 0 the task is a suspect and runs apart from the others. */
  crashes: number
  /** Null leaves it to the handler. */
  maxAttempts: number | null
  timeoutMs: number | null
  /** From when it was due to when it was claimed. */
  waitedMs: number
}

/** What a handler's error becomes in the task's `error`. */
export type Failure = { name: string; message: string; code?: string; stack?: string; attempt: number }

/** How one attempt ended, as its runner saw it. */
export type Verdict =
  | { kind: 'completed'; result: JsonText }
  /** `delayMs` is the handler's own choice; `maxAttempts` the handler's, where the submission left it open. */
  | { kind: 'failed'; failure: Failure; retryable: boolean; delayMs?: number; maxAttempts?: number }
  /** It did not end here: the worker is stopping, or the attempt was canceled or is somebody else's now. */
  | { kind: 'interrupted' }
  /** The process that ran it died, and other tasks ran beside it, so nobody knows whose fault it was. */
  | { kind: 'crashed' }

/** What is written of an attempt. Written only while `attempt` is still the task's own number: the fence. */
export type Outcome =
  | { task: ClaimedTask; status: 'completed'; result: JsonText }
  | { task: ClaimedTask; status: 'failed'; failure: Failure; maxAttempts: number }
  | { task: ClaimedTask; status: 'scheduled'; failure: Failure; maxAttempts: number; delayMs: number }
  | { task: ClaimedTask; status: 'pending'; crashed: boolean }

/** Decides what becomes of the task: the number of failures, and nothing else, is bounded by `maxAttempts`. */
export function outcomeOf(task: ClaimedTask, verdict: Verdict, random: () => number = Math.random): Outcome {
  switch (verdict.kind) {
    case 'completed':
      return { task, status: 'completed', result: verdict.result }
    case 'interrupted':
      return { task, status: 'pending', crashed: false }
    case 'crashed':
      return { task, status: 'pending', crashed: true }
    case 'failed': {
      const { failure } = verdict
      const maxAttempts = task.maxAttempts ?? verdict.maxAttempts ?? defaultMaxAttempts
      const failures = task.failures + 1
      if (!verdict.retryable || failures >= maxAttempts)
        return { task, status: 'failed', failure, maxAttempts }
      const delayMs = verdict.delayMs ?? backoffMs(failures, random)
      return { task, status: 'scheduled', failure, maxAttempts, delayMs }
    }
  }
}
