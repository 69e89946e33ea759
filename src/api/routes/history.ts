import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { HistoryWish } from '../../domain/rollup.ts'
import type { UseCases } from '../../usecases/index.ts'
import { type Fault, invalid } from '../problem.ts'
import { openQuery } from '../query.ts'
import { answer, problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { instantParameter, listParameters, oneTypeParameter } from '../task-filter.ts'

/** GET /stats/history: what happened when, for charts. */
export function historyRoutes(app: FastifyInstance, useCases: Pick<UseCases, 'readHistory'>) {
  app.get('/stats/history', { schema: historySchema }, async (request) =>
    useCases.readHistory(readWish(request.query)),
  )
}

const hourMs = 3_600_000
const spans = { '15m': hourMs / 4, '1h': hourMs, '24h': 24 * hourMs, '7d': 7 * 24 * hourMs }
type Span = keyof typeof spans
const usualSpan: Span = '1h'
const longestMs = 31 * 24 * hourMs
const isSpan = (text: string): text is Span => Object.hasOwn(spans, text)

const parameters = {
  range: {
    schema: Type.Enum(Object.keys(spans), { description: 'Until now; `1h` when nothing else is given.' }),
    read: (text: string) => (isSpan(text) ? text : undefined),
    rule: `must be one of ${Object.keys(spans).join(', ')}`,
  },
  from: instantParameter('The beginning, an RFC 3339 instant; with `to`, in place of `range`.'),
  to: instantParameter('The end, 31 days after the beginning at most.'),
  queue: listParameters.queue,
  type: oneTypeParameter,
}

function readWish(given: unknown): HistoryWish {
  const query = openQuery(given, Object.keys(parameters))
  const range = query.take('range', parameters.range)
  const from = query.take('from', parameters.from)
  const to = query.take('to', parameters.to)
  const queue = query.take('queue', parameters.queue)
  const type = query.take('type', parameters.type)
  query.close()
  return { ...between(range, from, to), ...(queue && { queue }), ...(type && { type }) }
}

function between(
  range: Span | undefined,
  from: string | undefined,
  to: string | undefined,
): Pick<HistoryWish, 'from' | 'to'> {
  if (from === undefined && to === undefined) {
    const now = Date.now()
    return {
      from: new Date(now - spans[range ?? usualSpan]).toISOString(),
      to: new Date(now).toISOString(),
    }
  }
  if (from === undefined || to === undefined || range !== undefined)
    throw invalid([fault('range', 'give either range, or both from and to')])
  const ms = Date.parse(to) - Date.parse(from)
  if (ms <= 0) throw invalid([fault('to', 'must be later than from')])
  if (ms > longestMs) throw invalid([fault('to', 'must be 31 days after from at most')])
  return { from, to }
}

const fault = (parameter: string, detail: string): Fault => ({ parameter, detail })

const orNull = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S, description: string) =>
  Type.Union([schema, Type.Null()], { description })
const quantiles = Type.Object({ p50: Type.Number(), p95: Type.Number(), p99: Type.Number() })
const instant = Type.String({ format: 'date-time' })

const historySchema = {
  operationId: 'readHistory',
  security: needs('read'),
  summary: 'What happened when',
  description:
    'Sums and percentiles of equal steps, for charts: by the minute for the last 24 hours, by the quarter of an hour for nine days. What came and ended is counted every ten seconds; retrying, and what is kept no longer, may hide some of what happened in the same ten seconds. Percentiles are right to within 9 %.',
  tags: ['System'],
  querystring: Type.Partial(
    Type.Object(Object.fromEntries(Object.entries(parameters).map(([name, { schema }]) => [name, schema]))),
  ),
  response: {
    200: answer(
      'The points, oldest first.',
      Type.Object({
        from: instant,
        to: instant,
        stepMs: Type.Integer({ description: 'From one point to the next.' }),
        points: Type.Array(
          Type.Object({
            at: instant,
            submitted: Type.Integer(),
            completed: Type.Integer(),
            failed: Type.Integer(),
            canceled: Type.Integer(),
            pending: Type.Integer({ description: 'As counted last in that time.' }),
            processing: Type.Integer(),
            oldestPendingAgeMs: orNull(
              Type.Integer(),
              'As seen last in that time; null when nothing waited.',
            ),
            waitingMs: orNull(quantiles, 'From being due to the beginning of an attempt.'),
            runningMs: orNull(quantiles, 'How long attempts ran.'),
          }),
        ),
      }),
    ),
    ...problemAnswers('invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
