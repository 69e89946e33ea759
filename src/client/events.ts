import { ConnectionError, MillraceError } from './errors.ts'
import { type Call, passing, pause } from './http.ts'
import type { Snapshot } from './stats.ts'
import { isFinal, type Status, type Task } from './task.ts'

export type EventOptions = {
  signal?: AbortSignal | undefined
  /** Told when the connection is there, and when it is gone and will be made again. */
  onConnection?: ((isOpen: boolean) => void) | undefined
}

/** A change of a task: its new status, or `progress` where only that has changed. */
export type TaskEvent<Result = unknown> = { name: Status | 'progress'; task: Task<unknown, Result> }

/** Undefined when the server has nothing more to tell. */
export type Open = (call: Call) => Promise<ReadableStream<Uint8Array> | undefined>

type StreamEvent = { id: string; name: string; data: string }

const firstPauseMs = 200
const longestPauseMs = 5_000
/** About three minutes: a server that restarts is no reason to give up. */
const mostFailures = 40
/** The server says something every 15 seconds; a connection that does not is open at this end only. */
const longestSilenceMs = 45_000

/** The task as it is, then again after each change, until it is final, across broken connections and restarts. */
export async function* taskEvents<Result>(
  open: Open,
  id: string,
  { signal, onConnection }: EventOptions,
): AsyncGenerator<TaskEvent<Result>> {
  const path = `/tasks/${encodeURIComponent(id)}/events`
  for await (const { name, data } of streamEvents(open, { path, repeatable: true, signal }, onConnection)) {
    const task: Task<unknown, Result> = JSON.parse(data)
    yield { name: name as Status | 'progress', task }
    if (isFinal(task.status)) return
  }
}

/** A task that has come into a status; `missed`: some before are lost, because the connection was gone for a minute. */
export type FeedEvent =
  | { name: Status; id: string; type: string; queue: string; status: Status; attempt: number; at: string }
  | { name: 'missed' }

export type FeedFilter = { type?: string; queue?: string; status?: Status | readonly Status[] }

/** What becomes of all tasks from now on. After a broken connection some events may come again. */
export async function* feedEvents(
  open: Open,
  { type, queue, status }: FeedFilter,
  { signal, onConnection }: EventOptions,
): AsyncGenerator<FeedEvent> {
  const query = { type, queue, status: typeof status === 'string' ? status : status?.join(',') }
  const call: Call = { path: '/events', query, repeatable: true, signal }
  for await (const { name, data } of streamEvents(open, call, onConnection))
    yield { name, ...JSON.parse(data) }
}

/** How the system stands, until the signal aborts. Each is the whole state; what lies between two may be missed. */
export async function* liveStats(
  open: Open,
  { signal, onConnection }: EventOptions,
): AsyncGenerator<Snapshot> {
  for await (const { data } of streamEvents(open, { path: '/live', repeatable: true, signal }, onConnection))
    yield JSON.parse(data)
}

/** Events of a stream without an end of its own: when it breaks, it goes on after the last event that was seen. */
export async function* streamEvents(
  open: Open,
  call: Call,
  onConnection?: EventOptions['onConnection'],
): AsyncGenerator<StreamEvent> {
  let lastEventId = ''
  for (let failures = 0; ; ) {
    try {
      const body = await open(lastEventId ? { ...call, headers: { 'last-event-id': lastEventId } } : call)
      if (!body) return
      onConnection?.(true)
      for await (const event of eventsIn(body)) {
        failures = 0
        lastEventId = event.id || lastEventId
        if (event.data) yield event
      }
    } catch (error) {
      call.signal?.throwIfAborted()
      if (!mayPass(error) || failures >= mostFailures) throw error
    }
    onConnection?.(false)
    await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** failures++), call.signal)
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionError) return true
  return error instanceof MillraceError && passing.includes(error.status ?? 0)
}

async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await readSoon(reader)
      if (done) return
      const blocks = (text + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/)
      text = blocks.pop()!
      for (const block of blocks) yield eventOf(block)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

async function readSoon(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('nothing was heard')), longestSilenceMs)
  })
  try {
    return await Promise.race([reader.read(), silence])
  } catch (error) {
    throw new ConnectionError('the stream of events broke', error)
  } finally {
    clearTimeout(timer)
  }
}

function eventOf(block: string): StreamEvent {
  const lines = block.split(/\r?\n/)
  const valuesOf = (field: string) =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trimStart())
  return { id: valuesOf('id')[0] ?? '', name: valuesOf('event')[0] ?? '', data: valuesOf('data').join('\n') }
}
