import { TaskTimeoutError } from './errors.ts'
import { type Call, pause, type Reply } from './http.ts'
import { parseReply } from './reply.ts'
import { isFinal, type Task } from './task.ts'

export type WaitOptions = {
  /** Without it, as long as it takes. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

// Below the minute after which many proxies give up on a silent connection.
export const longPollSeconds = 30
const soonMs = 250
export const answerWithinMs = 10_000
const longestTimerMs = 2 ** 31 - 1
/** About three minutes: once the task has been seen, a server that restarts is no reason to give up. */
const patientRetries = 40

/** Resolves with the answer that shows the task final, whichever way it ended; TaskTimeoutError after `timeoutMs`. */
export async function waitUntilFinal(
  send: (call: Call) => Promise<Reply>,
  id: string,
  { timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions,
  startedAt = performance.now(),
): Promise<Reply> {
  let task: Task | undefined
  let retries: number | undefined
  for (;;) {
    const askedAt = performance.now()
    const leftMs = timeoutMs - (askedAt - startedAt)
    if (task && leftMs <= 0) throw new TaskTimeoutError(task, timeoutMs)
    const reply = await ask(send, { id, leftMs, signal, retries })
    // One more look, but no more patience, so that the error can say how far the task is.
    retries = reply === 'late' ? 0 : patientRetries
    if (reply === 'late') continue
    task = parseReply<Task>(reply)
    if (isFinal(task.status)) return reply
    // A server that answers before its time, because it stops or does not know `wait`, must not be hammered.
    if (performance.now() - askedAt < soonMs) await pause(Math.max(0, Math.min(soonMs, leftMs)), signal)
  }
}

type Question = { id: string; leftMs: number; signal: AbortSignal | undefined; retries: number | undefined }

async function ask(send: (call: Call) => Promise<Reply>, { id, leftMs, signal, retries }: Question) {
  const waitSeconds = Math.max(0, Math.min(longPollSeconds, Math.ceil(leftMs / 1000)))
  const deadline =
    leftMs > 0 && Number.isFinite(leftMs)
      ? AbortSignal.timeout(Math.min(longestTimerMs, Math.ceil(leftMs)))
      : undefined
  const signals = [signal, deadline].filter((signal) => signal !== undefined)
  try {
    return await send({
      path: `/tasks/${encodeURIComponent(id)}`,
      query: { wait: waitSeconds },
      repeatable: true,
      timeoutMs: waitSeconds * 1000 + answerWithinMs,
      ...(retries === undefined ? {} : { retries }),
      ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
    })
  } catch (error) {
    if (deadline?.aborted && error === deadline.reason) return 'late'
    throw error
  }
}
