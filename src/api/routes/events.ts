import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { FeedPage, FeedPosition, MoveFilter } from '../../domain/event.ts'
import { isUuid } from '../../domain/id.ts'
import type { UseCases } from '../../usecases/index.ts'
import type { Closing } from '../closing.ts'
import { eventText, lastEventIdHeader, readLastEventId, sendEvents, streamAnswer } from '../event-stream.ts'
import { openQuery } from '../query.ts'
import { problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { listParameters, oneTypeParameter } from '../task-filter.ts'

/** GET /events: what becomes of all tasks, as it happens. */
export function eventRoutes(app: FastifyInstance, useCases: Pick<UseCases, 'followMoves'>, closing: Closing) {
  app.get('/events', { schema: eventsSchema }, async (request, reply) => {
    const filter = readFilter(request.query)
    const from = readLastEventId(request, positionIn)
    const signal = closing.waitSignal(reply)
    const pages = useCases.followMoves(filter, { from, signal })[Symbol.asyncIterator]()
    const first = await pages.next() // a database that is away is a 503, and no stream
    return sendEvents(reply, { events: eventsOf(first, pages), signal })
  })
}

function readFilter(given: unknown): MoveFilter {
  const query = openQuery(given, ['type', 'queue', 'status'])
  const type = query.take('type', oneTypeParameter)
  const queue = query.take('queue', listParameters.queue)
  const status = query.take('status', listParameters.status)
  query.close()
  return { ...(type && { type }), ...(queue && { queue }), ...(status && { status }) }
}

async function* eventsOf(
  first: IteratorResult<FeedPage>,
  pages: AsyncIterator<FeedPage>,
): AsyncGenerator<string> {
  for (let next = first; !next.done; next = await pages.next()) yield pageText(next.value)
}

/** A page has one position, behind all of it, so who loses the connection within one is told it again. */
function pageText({ moves, position, missed }: FeedPage): string {
  const gap = missed ? eventText({ name: 'missed', data: '{}' }) : ''
  const events = moves.map((move) => eventText({ name: move.status, data: JSON.stringify(move) }))
  return `${gap}${events.join('')}id: ${idOf(position)}\n\n`
}

function idOf({ listener, atMs, after, page }: FeedPosition): string {
  const within = page ? `~${page.upTo}~${page.xid}~${page.seq}` : ''
  return `${listener}~${Math.floor(atMs)}~${after}${within}`
}

const number = String.raw`\d{1,19}`
const snapshot = `${number}:${number}:(?:${number}(?:,${number})*)?`
const idPattern = new RegExp(
  `^([0-9a-f-]{36})~(\\d{1,15})~(${snapshot})(?:~(${snapshot})~(${number})~(\\d{1,15}))?$`,
)

function positionIn(id: string): FeedPosition | undefined {
  const [, listener, atMs, after, upTo, xid, seq] = idPattern.exec(id) ?? []
  if (listener === undefined || after === undefined || !isUuid(listener)) return undefined
  const page = upTo !== undefined && xid !== undefined ? { page: { upTo, xid, seq: Number(seq) } } : {}
  return { listener, atMs: Number(atMs), after, ...page }
}

const eventsSchema = {
  operationId: 'followEvents',
  security: needs('read'),
  summary: 'Follow all tasks',
  description:
    'Server-sent events: each time that a task comes into a status, from now on. Events are named after the status; their data is `{"id","type","queue","status","attempt","at"}`. With `Last-Event-ID` the stream goes on from there, at any server, for a minute after it broke; some of the last events may come again. An event `missed` says that some before it are lost.',
  tags: ['Tasks'],
  querystring: Type.Object({
    type: Type.Optional(oneTypeParameter.schema),
    queue: Type.Optional(listParameters.queue.schema),
    status: Type.Optional(listParameters.status.schema),
  }),
  headers: lastEventIdHeader,
  response: {
    200: streamAnswer('Events, without an end.'),
    ...problemAnswers('invalid-request', 'value-not-storable', 'store-unavailable', 'shutting-down'),
  },
}
