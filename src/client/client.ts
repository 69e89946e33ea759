import type { PayloadOf, ResultOf } from './definition.ts'
import { type Call, type Reply, type Server, send } from './http.ts'
import { parseReply } from './reply.ts'
import { schedulesOf } from './schedules.ts'
import type { Stats, WorkerInfo } from './stats.ts'
import type { Submission, SubmitOptions, Task, TaskFilter, TaskPage } from './task.ts'
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
    submit,
    submitBatch,
    task,
    get: (id: string) => task(id).get(),
    list,
    pages,
    /** Answers the canceled task, also if it was canceled before; MillraceError 409 if it is completed or failed. */
    cancel: (id: string) => task(id).cancel(),
    /** Makes a failed or canceled task pending again. */
    retry: (id: string) => task(id).retry(),
    /** Resolves with the task when it is final, whichever way it ended; TaskTimeoutError after `timeoutMs`. */
    wait: async (id: string, options: WaitOptions = {}) =>
      parseReply<Task>(await waitUntilFinal(request, id, options)),
    schedules: schedulesOf(ask, randomKey),
    stats: () => ask<Stats>({ path: '/stats', repeatable: true }),
    workers: () => ask<WorkerInfo[]>({ path: '/workers', repeatable: true }),
  }

  /**
   * Resolves once the task is on disk. Has an idempotency key of its own when none is given, so that a repeat
   * after a broken connection cannot make a second task.
   */
  async function submit<Definition = unknown>(
    type: string,
    payload: PayloadOf<Definition>,
    options: SubmitOptions = {},
  ): Promise<TaskHandle<ResultOf<Definition>>> {
    const { idempotencyKey = randomKey(), ...rest } = options
    const body = JSON.stringify({ type, payload, ...rest, idempotencyKey })
    const { id } = await ask<Task>({ method: 'POST', path: '/tasks', body, repeatable: true })
    return task<Definition>(id)
  }

  /** Stores up to 10,000 tasks, all or none. Repeated after a fault only if each has an idempotency key. */
  function submitBatch(
    tasks: readonly Submission[],
  ): Promise<{ batchId: string; count: number; ids: string[] }> {
    const repeatable = tasks.every((task) => task.idempotencyKey !== undefined)
    return ask({ method: 'POST', path: '/tasks/batch', body: JSON.stringify({ tasks }), repeatable })
  }

  /** A handle on a task that is there already. */
  function task<Definition = unknown>(id: string): TaskHandle<ResultOf<Definition>> {
    return taskHandle<ResultOf<Definition>>(request, id)
  }

  /** One page, newest first. */
  function list(filter: TaskFilter = {}): Promise<TaskPage> {
    return ask({ path: '/tasks', query: queryOf(filter), repeatable: true })
  }

  async function* pages(filter: TaskFilter = {}): AsyncGenerator<TaskPage> {
    let cursor = filter.cursor
    do {
      const page = await list(cursor === undefined ? filter : { ...filter, cursor })
      yield page
      cursor = page.page.next ?? undefined
    } while (cursor !== undefined)
  }
}

function baseOf(url: string): string {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  if (!isHttp)
    throw new TypeError(`"${url}" is no address of a server; write one such as http://127.0.0.1:8000`)
  return url.replace(/\/+$/, '')
}

function queryOf({ status, createdAfter, createdBefore, include, ...rest }: TaskFilter) {
  return {
    ...rest,
    status: typeof status === 'string' ? status : status?.join(','),
    createdAfter: instant(createdAfter),
    createdBefore: instant(createdBefore),
    include: include?.join(','),
  }
}

function instant(at: string | Date | undefined): string | undefined {
  return at instanceof Date ? at.toISOString() : at
}

/** Not `randomUUID`: browsers have that on secure pages only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `auto-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
