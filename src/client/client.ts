import { type BatchHandle, type BatchOptions, type BatchPage, batchHandle } from './batch.ts'
import { bulkActionsOf } from './bulk-actions.ts'
import type { ResultOf } from './definition.ts'
import { type EventOptions, type FeedFilter, feedEvents, liveStats } from './events.ts'
import type { FailureGroupPage, FailureGroupQuery } from './failure-group.ts'
import { type Call, open, type Reply, type Server, send } from './http.ts'
import { keysOf, signingOf } from './keys.ts'
import { listing } from './lists.ts'
import type { Queue, QueueLimits } from './queue.ts'
import { randomKey } from './random-key.ts'
import { parseReply } from './reply.ts'
import { schedulesOf } from './schedules.ts'
import type { History, HistoryQuery, Stats, WorkerInfo } from './stats.ts'
import { submitting } from './submitting.ts'
import type { SystemState } from './system.ts'
import type { Submission, Task } from './task.ts'
import { type TaskHandle, taskHandle } from './task-handle.ts'
import { type WaitOptions, waitUntilFinal } from './wait.ts'

export type ClientOptions = {
  /** Where the API is, such as `http://127.0.0.1:8000`. */
  url: string
  apiKey?: string | undefined
  /** How often a call that may be repeated is tried again when no server can be reached or it is unavailable; 4. */
  retries?: number
}

export type Millrace = ReturnType<typeof createClient>

/** The calls of the HTTP API. Each fails with a MillraceError; see its subclasses for what to tell apart. */
export function createClient({ url, apiKey, retries = 4 }: ClientOptions) {
  const server: Server = { url: baseOf(url), apiKey, retries }
  const request = (call: Call): Promise<Reply> => send(server, call)
  const ask = async <Body>(call: Call): Promise<Body> => parseReply<Body>(await request(call))

  return {
    /** Any call; the answer's text is left as it came, number for number. */
    request,
    ...submitting({ send: request, ask, task }),
    submitBatch,
    /** A handle on a batch, by the id that `submitBatch` or an import has answered. */
    batch: (id: string): BatchHandle => batchHandle(ask, id),
    /** A page of batches, newest first; `cursor` is the `next` of the page before. */
    batches: (query: { limit?: number; cursor?: string } = {}) =>
      ask<BatchPage>({ path: '/batches', query, repeatable: true }),
    task,
    get: (id: string) => task(id).get(),
    ...listing(ask),
    /** Answers the canceled task, also if it was canceled before; MillraceError 409 if it is completed or failed. */
    cancel: (id: string) => task(id).cancel(),
    /** Makes a failed or canceled task pending again. */
    retry: (id: string) => task(id).retry(),
    /** Resolves with the task when it is final, whichever way it ended; TaskTimeoutError after `timeoutMs`. */
    wait: async (id: string, options: WaitOptions = {}) =>
      parseReply<Task>(await waitUntilFinal(request, id, options)),
    /** What becomes of all tasks from now on, as it happens; broken connections are made again. */
    events: (filter: FeedFilter = {}, options: EventOptions = {}) =>
      feedEvents((call) => open(server, call), filter, options),
    /** How the whole system stands, now and then once a second when it has changed. */
    live: (options: EventOptions = {}) => liveStats((call) => open(server, call), options),
    schedules: schedulesOf(ask, randomKey),
    bulkActions: bulkActionsOf(ask),
    /** A page of failures that are alike, the latest first unless `order` says `most`. */
    errors: (query: FailureGroupQuery = {}) =>
      ask<FailureGroupPage>({ path: '/errors', query, repeatable: true }),
    ...signingOf(ask, request),
    keys: keysOf(ask),
    /** What happened when, for charts: the last hour if nothing else is asked for. */
    history: (query: HistoryQuery = {}) => ask<History>({ path: '/stats/history', query, repeatable: true }),
    stats: () => ask<Stats>({ path: '/stats', repeatable: true }),
    /** Sizes, ledger, broker, settings and checks of the installation. */
    system: () => ask<SystemState>({ path: '/system', repeatable: true }),
    workers: () => ask<WorkerInfo[]>({ path: '/workers', repeatable: true }),
    queues: () => ask<Queue[]>({ path: '/queues', repeatable: true }),
    /** Nothing of the queue starts until it is resumed. Both answer the queue as it is then. */
    pauseQueue: (name: string) => changeQueue(name, 'POST', '/pause'),
    resumeQueue: (name: string) => changeQueue(name, 'POST', '/resume'),
    /** Changes the limits that are named; null takes one away. */
    limitQueue: (name: string, limits: Partial<QueueLimits>) =>
      changeQueue(name, 'PATCH', '', JSON.stringify(limits)),
  }

  /** Stores up to 10,000 tasks, all or none. Repeated after a fault only if each has an idempotency key. */
  function submitBatch(
    tasks: readonly Submission[],
    options: BatchOptions = {},
  ): Promise<{ batchId: string; count: number; ids: string[] }> {
    const repeatable = tasks.every((task) => task.idempotencyKey !== undefined)
    const body = JSON.stringify({ tasks, ...options })
    return ask({ method: 'POST', path: '/tasks/batch', body, repeatable })
  }

  function changeQueue(name: string, method: 'POST' | 'PATCH', way: string, body?: string): Promise<Queue> {
    const path = `/queues/${encodeURIComponent(name)}${way}`
    return ask({ method, path, repeatable: true, ...(body === undefined ? {} : { body }) })
  }

  /** A handle on a task that is there already. */
  function task<Definition = unknown>(id: string): TaskHandle<ResultOf<Definition>> {
    return taskHandle<ResultOf<Definition>>({ send: request, open: (call) => open(server, call) }, id)
  }
}

function baseOf(url: string): string {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  if (!isHttp)
    throw new TypeError(`"${url}" is no address of a server; write one such as http://127.0.0.1:8000`)
  return url.replace(/\/+$/, '')
}
