import { coalescing } from './coalesce.ts'
import type { PayloadOf, ResultOf } from './definition.ts'
import type { Call, Reply } from './http.ts'
import { randomKey } from './random-key.ts'
import { parseReply } from './reply.ts'
import { type AnyIterable, storeMany } from './submit-many.ts'
import { isFinal, type Submission, type SubmitOptions, type Task } from './task.ts'
import { resultIn, type TaskHandle } from './task-handle.ts'
import { answerWithinMs, longPollSeconds, waitUntilFinal } from './wait.ts'

export type RunOptions = SubmitOptions & {
  /** How long to wait for the result; without it, as long as it takes. `timeoutMs` is the limit of an attempt. */
  waitMs?: number
  /** Ends the waiting. The task goes on. */
  signal?: AbortSignal
}

type Deps = {
  send: (call: Call) => Promise<Reply>
  ask: <Body>(call: Call) => Promise<Body>
  task: <Definition>(id: string) => TaskHandle<ResultOf<Definition>>
}

/** The ways to submit that find their own requests. */
export function submitting({ send, ask, task }: Deps) {
  const storeOne = coalescing(store)
  return { submit, run, submitMany }

  /**
   * Resolves once the task is on disk. Has an idempotency key of its own when none is given, so that a repeat after a
   * broken connection cannot make a second task. While requests are under way, what else is submitted gathers and
   * goes in one: such tasks have a `batchId` in common.
   */
  async function submit<Definition = unknown>(
    type: string,
    payload: PayloadOf<Definition>,
    options: SubmitOptions = {},
  ): Promise<TaskHandle<ResultOf<Definition>>> {
    return task<Definition>(await storeOne(textOf({ type, payload, ...options })))
  }

  /**
   * Submits and waits for the result; fails as `result` of a task does. The answer to the submission is the result
   * where that comes within half a minute. With a `signal` they are two: it ends the waiting, and must not end the submission.
   */
  async function run<Definition = unknown>(
    type: string,
    payload: PayloadOf<Definition>,
    { waitMs, signal, ...options }: RunOptions = {},
  ): Promise<ResultOf<Definition>> {
    if (signal)
      return (await submit<Definition>(type, payload, options)).result({ timeoutMs: waitMs, signal })
    const startedAt = performance.now()
    const stored = await storeAndWait(textOf({ type, payload, ...options }), waitMs)
    const { id, status } = parseReply<Task>(stored)
    const waiting = () => waitUntilFinal(send, id, { timeoutMs: waitMs }, startedAt)
    return JSON.parse(resultIn(isFinal(status) ? stored : await waiting()))
  }

  function storeAndWait(body: string, waitMs = Number.POSITIVE_INFINITY): Promise<Reply> {
    const seconds = Math.floor(Math.min(longPollSeconds, Math.max(0, waitMs) / 1000))
    return send({
      method: 'POST',
      path: '/tasks',
      body,
      headers: { prefer: `wait=${seconds}` },
      repeatable: true,
      timeoutMs: seconds * 1000 + answerWithinMs,
    })
  }

  /**
   * Submits any number of tasks in requests of at most 1,000, and yields their handles in order, as they are stored.
   * Reads one request ahead, so nothing is read before somebody asks, and memory stays bounded whatever the number.
   */
  async function* submitMany<Definition = unknown>(
    submissions: AnyIterable<Submission<PayloadOf<Definition>>>,
  ): AsyncGenerator<TaskHandle<ResultOf<Definition>>, void, undefined> {
    for await (const id of storeMany({ store, textOf }, submissions)) yield task<Definition>(id)
  }

  /** One task alone is no batch. */
  async function store(texts: readonly string[]): Promise<readonly string[]> {
    const call = { method: 'POST', repeatable: true } as const
    if (texts.length === 1)
      return [(await ask<{ id: string }>({ ...call, path: '/tasks', body: texts[0] })).id]
    const body = `{"tasks":[${texts.join()}]}`
    return (await ask<{ ids: string[] }>({ ...call, path: '/tasks/batch', body })).ids
  }
}

function textOf(submission: Submission): string {
  return JSON.stringify({ ...submission, idempotencyKey: submission.idempotencyKey ?? randomKey() })
}
