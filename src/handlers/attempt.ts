import type { Logger } from 'pino'
import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import {
  AbortError,
  type AbortReason,
  type Attempt,
  contextOf,
  type HearProgress,
  TimeoutError,
} from './context.ts'
import { createDeadlines } from './deadlines.ts'
import { type TaskDefinition, timeoutMsOf } from './define-task.ts'
import { failedBy } from './failure.ts'
import { readInput } from './input.ts'
import { resultText } from './result.ts'
import { createBatchCall } from './run-batch.ts'
import { currentAttempt } from './stray-errors.ts'

/** Runs attempts, any number at once. */
export type Runner = {
  readonly types: readonly string[]
  /** Resolves when the attempt is over, though its handler may be running still. Never rejects. */
  run(task: ClaimedTask): Promise<Verdict>
  /** Ends the attempt as interrupted at once and aborts its signal. Does nothing if it is over. */
  abort(id: string, attempt: number, reason: AbortReason): void
  /** Ends what still runs as interrupted, and lets go of timers and processes. */
  stop(): Promise<void>
}

export type Definitions = ReadonlyMap<string, TaskDefinition>

/** Calls a handler; answers its result or a promise of it. */
type Call = (attempt: Attempt, input: unknown) => unknown

type LocalDeps = {
  definitions: Definitions
  log: Logger
  /** Hears what handlers say about their progress. */
  hear?: HearProgress
}

/** Runs attempts in this process. */
export function createLocalRunner({ definitions, log, hear = () => {} }: LocalDeps): Runner {
  const attempts = new Map<string, Attempt>()
  const deadlines = createDeadlines<Attempt>(expire)
  const calls = new Map([...definitions].map(([type, definition]) => [type, callOf(definition)]))
  return { types: [...definitions.keys()], run, abort, stop }

  function run(task: ClaimedTask) {
    return new Promise<Verdict>((resolve) => {
      const attempt = begin(task, resolve)
      currentAttempt.run(attempt, perform, attempt)
    })
  }

  function begin(task: ClaimedTask, resolve: (verdict: Verdict) => void): Attempt {
    const older = attempts.get(task.id)
    if (older) interrupt(older, 'lost')
    const attempt = { task, resolve, ended: false, tick: undefined, abortedBy: undefined, onAbort: undefined }
    attempts.set(task.id, attempt)
    return attempt
  }

  async function perform(attempt: Attempt) {
    const { task } = attempt
    const definition = definitions.get(task.type)
    try {
      const call = calls.get(task.type)
      if (!definition || !call) throw new Error(`this worker has no handler for the type ${task.type}`)
      startClock(attempt)
      const input = readInput(definition, task.payload)
      const checked = input instanceof Promise ? await input : input
      if (attempt.ended) return
      end(attempt, { kind: 'completed', result: resultText(await call(attempt, checked)) })
    } catch (thrown) {
      if (!attempt.ended) end(attempt, failedBy(thrown, task.attempt, definition?.maxAttempts))
    }
  }

  function callOf(definition: TaskDefinition): Call {
    if ('run' in definition) return (attempt, input) => definition.run(input, contextOf(attempt, log, hear))
    return createBatchCall({ definition, log, hear, startClock, stopClock })
  }

  function startClock(attempt: Attempt) {
    const timeoutMs = timeoutMsOf(attempt.task, definitions.get(attempt.task.type))
    if (timeoutMs !== undefined) attempt.tick = deadlines.set(attempt, timeoutMs)
  }

  function stopClock(attempt: Attempt) {
    if (attempt.tick !== undefined) deadlines.clear(attempt, attempt.tick)
    attempt.tick = undefined
  }

  function expire(attempt: Attempt) {
    const { task } = attempt
    const definition = definitions.get(task.type)
    const reason = new TimeoutError(timeoutMsOf(task, definition))
    endFromOutside(attempt, reason, failedBy(reason, task.attempt, definition?.maxAttempts))
  }

  function abort(id: string, number: number, reason: AbortReason) {
    const attempt = attempts.get(id)
    if (attempt?.task.attempt === number) interrupt(attempt, reason)
  }

  function interrupt(attempt: Attempt, reason: AbortReason) {
    endFromOutside(attempt, new AbortError(reason), { kind: 'interrupted' })
  }

  /** The verdict first: whatever the handler then does or throws is no part of the attempt. */
  function endFromOutside(attempt: Attempt, reason: Error, verdict: Verdict) {
    end(attempt, verdict)
    attempt.abortedBy = reason
    attempt.onAbort?.(reason)
  }

  function end(attempt: Attempt, verdict: Verdict) {
    if (attempt.ended) return
    attempt.ended = true
    stopClock(attempt)
    if (attempts.get(attempt.task.id) === attempt) attempts.delete(attempt.task.id)
    attempt.resolve(verdict)
  }

  async function stop() {
    for (const attempt of attempts.values()) interrupt(attempt, 'shutdown')
    deadlines.stop()
  }
}
