import { TaskCanceledError, TaskFailedError } from './errors.ts'
import { type EventOptions, type Open, type TaskEvent, taskEvents } from './events.ts'
import type { Call, Reply } from './http.ts'
import { memberTexts } from './json-text.ts'
import { parseReply } from './reply.ts'
import type { Task } from './task.ts'
import { type WaitOptions, waitUntilFinal } from './wait.ts'
import type { Timeline, Why } from './why.ts'

/** A submitted task, to follow it. */
export type TaskHandle<Result = unknown> = {
  readonly id: string
  get(): Promise<Task>
  /** Waits for the result; TaskFailedError, TaskCanceledError or TaskTimeoutError if there is none. */
  result(options?: WaitOptions): Promise<Result>
  /** As `result`, but the JSON text as it was stored: numbers beyond 2^53 and digits such as 1.0 are kept. */
  resultText(options?: WaitOptions): Promise<string>
  /** Why it does not run, in one sentence. */
  why(): Promise<Why>
  /** What it has done so far, on one axis of time. */
  timeline(): Promise<Timeline>
  cancel(): Promise<Task>
  retry(): Promise<Task>
  /** The task as it is, then again after each change, until it is final; broken connections are made again. */
  events(options?: EventOptions): AsyncGenerator<TaskEvent<Result>>
}

export function taskHandle<Result>(
  { send, open }: { send: (call: Call) => Promise<Reply>; open: Open },
  id: string,
): TaskHandle<Result> {
  const path = `/tasks/${encodeURIComponent(id)}`
  const ask = async <Body = Task>(call: Call) => parseReply<Body>(await send(call))
  return {
    id,
    get: () => ask({ path, repeatable: true }),
    result: async (options = {}) => JSON.parse(await resultText(options)),
    resultText: (options = {}) => resultText(options),
    why: () => ask<Why>({ path: `${path}/why`, repeatable: true }),
    timeline: () => ask<Timeline>({ path: `${path}/timeline`, repeatable: true }),
    cancel: () => ask({ method: 'POST', path: `${path}/cancel`, repeatable: true }),
    retry: () => ask({ method: 'POST', path: `${path}/retry`, repeatable: false }),
    events: (options = {}) => taskEvents<Result>(open, id, options),
  }

  async function resultText(options: WaitOptions): Promise<string> {
    return resultIn(await waitUntilFinal(send, id, options))
  }
}

/** The result's text in an answer that shows the task final; TaskFailedError or TaskCanceledError if there is none. */
export function resultIn(reply: Reply): string {
  const task = parseReply<Task>(reply)
  if (task.status === 'failed') throw new TaskFailedError(task)
  if (task.status === 'canceled') throw new TaskCanceledError(task)
  return memberTexts(reply.text).get('result') ?? 'null'
}
