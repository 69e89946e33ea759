import type { FastifyInstance } from 'fastify'
import type { Snapshot } from '../../domain/stats.ts'
import type { UseCases } from '../../usecases/index.ts'
import type { Closing } from '../closing.ts'
import { eventText, sendEvents, streamAnswer } from '../event-stream.ts'
import { refuseQuery } from '../query.ts'
import { problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'

/** GET /live: how the whole system stands, once a second when it has changed. */
export function liveRoutes(app: FastifyInstance, useCases: Pick<UseCases, 'followStats'>, closing: Closing) {
  const textOf = textsOnce()
  app.get('/live', { schema: liveSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const signal = closing.waitSignal(reply)
    const snapshots = useCases.followStats(signal)[Symbol.asyncIterator]()
    const first = await snapshots.next() // a database that is away is a 503, and no stream
    return sendEvents(reply, { events: eventsOf(first, snapshots, textOf), signal })
  })
}

async function* eventsOf(
  first: IteratorResult<Snapshot>,
  snapshots: AsyncIterator<Snapshot>,
  textOf: (snapshot: Snapshot) => string,
): AsyncGenerator<string> {
  for (let next = first; !next.done; next = await snapshots.next()) yield textOf(next.value)
}

/** A snapshot is the same object for all who follow, and is made into text for the first of them only. */
function textsOnce() {
  const texts = new WeakMap<Snapshot, string>()
  return (snapshot: Snapshot): string => {
    const known = texts.get(snapshot)
    if (known !== undefined) return known
    const text = eventText({ name: 'stats', data: JSON.stringify(snapshot) })
    texts.set(snapshot, text)
    return text
  }
}

const liveSchema = {
  operationId: 'followStats',
  security: needs('read'),
  summary: 'Follow how the system stands',
  description:
    'Server-sent events named `stats`: the body of `GET /stats` with `newestTaskId`, now and then once a second when something has changed. Each is the whole state, so that a stream that broke is simply opened again. Costs the database the same whether one or a thousand follow, and nothing while nobody does.',
  tags: ['System'],
  response: {
    200: streamAnswer('Events, without an end.'),
    ...problemAnswers('invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
