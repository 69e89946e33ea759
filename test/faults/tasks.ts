import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask, NonRetryableError, RetryLaterError, type TaskContext } from '../../src/index.ts'
import type { Guilt } from './check/evidence.ts'
import { type HandlerLine, writeLine } from './system/ledger.ts'
import { nowMs } from './system/machine-clock.ts'

// The handlers of a run, loaded by its workers. Each writes down what it does outside the system, before it goes on.

const { FAULTS_LEDGER: ledger = '/dev/null', FAULTS_MEMBER: name = '' } = process.env

type Attempt = Pick<TaskContext, 'id' | 'attempt'>

function record(what: HandlerLine['what'], { id, attempt }: Attempt): void {
  writeLine(ledger, { what, at: nowMs(), id, attempt, member: name, pid: process.pid })
}

/** Does `work` between two lines of the ledger. The result says whose it is: the row must have the same attempt. */
async function recorded(context: TaskContext, work: (signal: AbortSignal) => Promise<unknown>) {
  record('started', context)
  try {
    await work(context.signal)
  } catch (error) {
    record('aborted', context)
    throw error
  }
  record('finished', context)
  return { attempt: context.attempt, pid: process.pid }
}

type Wait = { ms: number }

/** What each type does wrong; the others do nothing. */
export const guilty: Readonly<Record<string, Guilt>> = {
  flaky: { failures: 1, ends: 'completed' },
  doomed: { failures: 1, ends: 'failed', error: 'NonRetryableError' },
  throws: { failures: 3, ends: 'failed' },
  'throws-uncaught': { failures: 3, ends: 'failed' },
  // Run apart, as a suspect, it is taken for an endless loop after a minute.
  'blocks-for-a-minute': { failures: 3, ends: 'either' },
  hangs: { failures: 3, ends: 'failed', error: 'TimeoutError' },
  exits: { failures: 3, ends: 'failed' },
  'exhausts-memory': { failures: 3, ends: 'failed' },
  'returns-bigint': { failures: 3, ends: 'failed', error: 'InvalidResultError' },
  'returns-circle': { failures: 3, ends: 'failed', error: 'InvalidResultError' },
  'returns-too-much': { failures: 3, ends: 'failed', error: 'InvalidResultError' },
}

const wellBehaved = [
  defineTask({
    type: 'quick',
    run: (input, context) => recorded(context, () => sleep((input as Wait).ms)),
  }),
  defineTask({
    type: 'slow',
    run: (input, context) =>
      recorded(context, (signal) => sleep((input as Wait).ms, undefined, { signal, ref: true })),
  }),
  defineTask({
    type: 'flaky',
    run: (_input, context) =>
      recorded(context, async () => {
        if (context.attempt === 1) throw new RetryLaterError('the first attempt fails', { delayMs: 200 })
      }),
  }),
  defineTask({
    type: 'doomed',
    run: (_input, context) =>
      recorded(context, async () => {
        throw new NonRetryableError('never')
      }),
  }),
]

const misbehaved = [
  defineTask({
    type: 'throws',
    run: (_input, context) =>
      recorded(context, () => {
        throw undefined
      }),
  }),
  defineTask({
    type: 'throws-uncaught',
    run: (_input, context) =>
      recorded(context, () => {
        setTimeout(() => {
          throw new Error('outside of the handler')
        })
        return forever()
      }),
  }),
  defineTask({ type: 'hangs', run: (_input, context) => recorded(context, forever) }),
  defineTask({
    type: 'ignores-signal',
    run: (input, context) => recorded(context, () => sleep((input as Wait).ms)),
  }),
  blocking('blocks', 5_000),
  blocking('blocks-for-a-minute', 60_000),
  defineTask({ type: 'exits', run: (_input, context) => recorded(context, async () => process.exit(3)) }),
  defineTask({ type: 'exhausts-memory', run: (_input, context) => recorded(context, eatMemory) }),
  defineTask({
    type: 'rejects-unhandled',
    run: (_input, context) =>
      recorded(context, async () => {
        void Promise.reject(new Error('nobody awaits this'))
      }),
  }),
  returning('returns-bigint', () => 1n),
  returning('returns-circle', () => {
    const circle: unknown[] = []
    circle.push(circle)
    return circle
  }),
  returning('returns-too-much', () => 'x'.repeat(2 ** 20 + 1)),
]

export const tasks = [...wellBehaved, ...misbehaved]

function blocking(type: string, ms: number) {
  const block = async () => {
    for (const untilMs = nowMs() + ms; nowMs() < untilMs; );
  }
  return defineTask({ type, run: (_input, context) => recorded(context, block) })
}

function returning(type: string, value: () => unknown) {
  return defineTask({
    type,
    async run(_input, context) {
      await recorded(context, async () => {})
      return value()
    },
  })
}

function forever(): Promise<never> {
  return new Promise(() => {})
}

/** In large bites: with small ones the process would spend its last minute looking for garbage. */
async function eatMemory(): Promise<never> {
  for (const eaten: unknown[] = []; ; ) eaten.push(new Array(1_000_000).fill(0.5))
}
