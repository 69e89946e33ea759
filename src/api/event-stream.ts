import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { invalid } from './problem.ts'

/** Proxies give up on connections that say nothing, most of them after a minute. */
const heartbeatMs = 15_000
/** How soon a browser connects again to the next server when this one has stopped. */
const retryMs = 1_000
const comment = ':\n\n'

type StreamEvent = { id?: string; name: string; data: string }

/** One event of a stream. `id` is what a client that connects again sends as Last-Event-ID. */
export function eventText({ id, name, data }: StreamEvent): string {
  // JSON may have line ends between its tokens; a line of an event has none.
  const position = id === undefined ? '' : `id: ${id}\n`
  return `${position}event: ${name}\ndata: ${data.replaceAll(/\r\n|[\r\n]/g, '\ndata: ')}\n\n`
}

/**
 * Answers with a stream of events (SSE). The next one is asked for when the client has taken the one before, so that a
 * slow client costs no memory; a comment now and then keeps the connection alive. When `signal` aborts, `events` must end.
 */
export function sendEvents(
  reply: FastifyReply,
  { events, signal }: { events: AsyncIterable<string>; signal: AbortSignal },
) {
  const stream = Readable.from(withHeartbeats(events), { objectMode: false })
  // Who does not read would keep the server from closing.
  signal.addEventListener('abort', () => reply.raw.writableNeedDrain && reply.raw.destroy())
  return reply
    .type('text/event-stream')
    .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' })
    .send(stream)
}

/** The same with something to be read at least every 15 s. */
export async function* withHeartbeats(events: AsyncIterable<string>): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n\n`
  const iterator = events[Symbol.asyncIterator]()
  try {
    for (let next = iterator.next(); ; ) {
      const event = await orSilence(next)
      if (event === 'silence') yield comment
      else if (event.done) return
      else {
        yield event.value
        next = iterator.next()
      }
    }
  } finally {
    await iterator.return?.()
  }
}

async function orSilence<T>(next: Promise<T>): Promise<T | 'silence'> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(resolve, heartbeatMs, 'silence')
  })
  try {
    return await Promise.race([next, silence])
  } finally {
    clearTimeout(timer)
  }
}

/** Where a client that connects again stopped; undefined at first. Throws the Problem for what is no id of ours. */
export function readLastEventId<Position>(
  { headers }: FastifyRequest,
  read: (id: string) => Position | undefined,
): Position | undefined {
  const id = headers['last-event-id']
  if (id === undefined || id === '') return undefined
  const position = read(String(id))
  if (position !== undefined) return position
  throw invalid([{ header: 'Last-Event-ID', detail: 'must be the id of an event of this address' }])
}

export const lastEventIdHeader = Type.Object({
  'Last-Event-ID': Type.Optional(
    Type.String({ description: 'The id of the last event that was seen: the stream goes on after it.' }),
  ),
})

export function streamAnswer(description: string) {
  return { description, content: { 'text/event-stream': { schema: Type.String() } } }
}
