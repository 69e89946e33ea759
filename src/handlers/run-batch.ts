import type { Logger } from 'pino'
import { type Attempt, type BatchContext, type HearProgress, reporterOf } from './context.ts'
import type { BatchTask } from './define-task.ts'
import { isError } from './failure.ts'
import { currentAttempt } from './stray-errors.ts'

type Deps = {
  definition: BatchTask
  log: Logger
  hear: HearProgress
  /** The limit of an attempt counts from the beginning of the call, not from the wait for it. */
  startClock(attempt: Attempt): void
  stopClock(attempt: Attempt): void
}

type Member = {
  attempt: Attempt
  input: unknown
  resolve(result: unknown): void
  reject(error: unknown): void
}

/**
 * Turns `runBatch` into a function of one task, which answers its own result or throws its own error. A call
 * takes what has gathered, `maxBatch` at most; it begins as soon as no other call of the type is running, or at
 * once when it is full. Tasks that are aborted while they wait take no part.
 */
export function createBatchCall(deps: Deps): (attempt: Attempt, input: unknown) => Promise<unknown> {
  const { definition, stopClock } = deps
  let waiting: Member[] = []
  let calls = 0
  let isLooking = false

  return (attempt, input) => {
    stopClock(attempt)
    return new Promise((resolve, reject) => {
      waiting.push({ attempt, input, resolve, reject })
      lookSoon()
    })
  }

  function lookSoon() {
    if (!isLooking) setImmediate(look)
    isLooking = true
  }

  function look() {
    isLooking = false
    waiting = waiting.filter(({ attempt }) => !attempt.ended)
    while (waiting.length >= definition.maxBatch || (waiting.length > 0 && calls === 0)) {
      calls++
      runTogether(deps, waiting.splice(0, definition.maxBatch), onOver)
    }
  }

  function onOver() {
    calls--
    lookSoon()
  }
}

/** Runs one call. `onOver` is called once: when it has ended, or when none of its tasks is wanted any more. */
function runTogether(
  { definition, log, hear, startClock }: Deps,
  members: readonly Member[],
  onOver: () => void,
) {
  const attempts = members.map(({ attempt }) => attempt)
  const controller = new AbortController()
  let wanted = members.length
  for (const attempt of attempts) {
    startClock(attempt)
    attempt.onAbort = (reason) => {
      if (--wanted > 0) return
      controller.abort(reason)
      onOver()
    }
  }
  void currentAttempt.run(attempts, call)

  async function call() {
    try {
      const inputs = members.map(({ input }) => input)
      const context = contextOf(definition.type, attempts, { controller, log, hear })
      deal(members, await definition.runBatch(inputs, context))
    } catch (error) {
      for (const member of members) member.reject(error)
    }
    if (!controller.signal.aborted) onOver()
  }

  function deal(members: readonly Member[], outcomes: readonly unknown[]) {
    if (!Array.isArray(outcomes) || outcomes.length !== members.length) {
      const answer = Array.isArray(outcomes) ? `${outcomes.length} outcomes` : 'no array'
      throw new Error(`runBatch of ${definition.type} returned ${answer} for ${members.length} inputs`)
    }
    members.forEach(({ resolve, reject }, at) => {
      const outcome: unknown = outcomes[at]
      if (isError(outcome)) reject(outcome)
      else resolve(outcome)
    })
  }
}

function contextOf(
  type: string,
  attempts: readonly Attempt[],
  { controller, log, hear }: { controller: AbortController; log: Logger; hear: HearProgress },
): BatchContext {
  let ownLog: Logger | undefined
  return {
    type,
    tasks: attempts.map((attempt) => ({
      id: attempt.task.id,
      attempt: attempt.task.attempt,
      payloadText: attempt.task.payload,
      progress: reporterOf(attempt, hear),
    })),
    signal: controller.signal,
    get log() {
      ownLog ??= log.child({ type, tasks: attempts.length })
      return ownLog
    },
  }
}
