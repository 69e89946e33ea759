import { coalescing } from './coalesce.ts'
import type { PayloadOf, ResultOf } from './definition.ts'
import type { Call } from './http.ts'
import { randomKey } from './random-key.ts'
import { type AnyIterable, storeMany } from './submit-many.ts'
import type { Submission, SubmitOptions } from './task.ts'
import type { TaskHandle } from './task-handle.ts'

export type RunOptions = SubmitOptions & {
  /** How long to wait for the result; without it, as long as it takes. `timeoutMs` is the limit of an attempt. */
  waitMs?: number
  /** Ends the waiting. The task goes on. */
  signal?: AbortSignal
}

type Deps = {
  ask: <Body>(call: Call) => Promise<Body>
  task: <Definition>(id: string) => TaskHandle<ResultOf<Definition>>
}

/** The ways to submit that find their own requests. */
export function submitting({ ask, task }: Deps) {
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

  /** Submits and waits for the result; fails as `result` of a task does. */
  async function run<Definition = unknown>(
    type: string,
    payload: PayloadOf<Definition>,
    { waitMs, signal, ...options }: RunOptions = {},
  ): Promise<ResultOf<Definition>> {
    const submitted = await submit<Definition>(type, payload, options)
    return submitted.result({ timeoutMs: waitMs, signal })
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
