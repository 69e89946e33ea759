import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { statuses } from '../../domain/task.ts'
import { markKinds, type Span, type Timeline } from '../../domain/timeline.ts'
import { whyCodes } from '../../domain/why.ts'
import type { UseCases } from '../../usecases/index.ts'
import { readPathId } from '../path-id.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'

type ById = { Params: { id: string } }

/** Why a task does not run, and what it has done so far. */
export function explainRoutes(
  app: FastifyInstance,
  useCases: Pick<UseCases, 'explainTask' | 'readTimeline'>,
) {
  app.get<ById>('/tasks/:id/why', { schema: whySchema }, async (request) => {
    refuseQuery(request.query)
    return useCases.explainTask(readPathId(request.params.id, '/tasks'))
  })

  app.get<ById>('/tasks/:id/timeline', { schema: timelineSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const timeline = await useCases.readTimeline(readPathId(request.params.id, '/tasks'))
    return reply.type('application/json').send(timelineJson(timeline))
  })
}

/** Errors are put in as the texts that they are. */
function timelineJson({ taskId, now, spans, marks }: Timeline): string {
  return `{"taskId":"${taskId}","now":"${now}","spans":[${spans.map(spanJson).join(',')}],"marks":${JSON.stringify(marks)}}`
}

function spanJson({ error, ...rest }: Span): string {
  return `${JSON.stringify(rest).slice(0, -1)},"error":${error ?? 'null'}}`
}

const params = Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the task.' }) })
const tags = ['Tasks']
const instant = Type.String({ format: 'date-time', examples: ['2030-01-31T09:00:00.000Z'] })
const problems = problemAnswers('task-not-found', 'invalid-request', 'store-unavailable', 'shutting-down')

const whySchema = {
  operationId: 'explainTask',
  security: needs('read'),
  summary: 'Why a task does not run, in one sentence',
  description:
    'As quick with a hundred million tasks as with a hundred. How many are `ahead` is exact near the front of the queue, and an estimate far behind it.',
  tags,
  params,
  response: {
    200: answer(
      'The reason.',
      Type.Object({
        taskId: Type.String({ format: 'uuid' }),
        status: Type.Enum([...statuses]),
        code: Type.Enum([...whyCodes]),
        sentence: Type.String({ examples: ['12,480 ahead of it, about 9 s.'] }),
        details: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()]), {
          description: 'What the sentence was made of: `runAt`, `queue`, `ahead`, `etaMs` and the like.',
        }),
      }),
    ),
    ...problems,
  },
}

const orNull = <T extends ReturnType<typeof ref>>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description })

const timelineSchema = {
  operationId: 'readTimeline',
  security: needs('read'),
  summary: 'What a task has done so far, on one axis of time',
  description:
    'From what is kept of it: of attempts that ended with their worker nothing is, and of explicit retries only the latest.',
  tags,
  params,
  response: {
    200: answer(
      'The timeline.',
      Type.Object({
        taskId: Type.String({ format: 'uuid' }),
        now: instant,
        spans: Type.Array(
          Type.Object({
            kind: Type.Enum(['waiting', 'attempt', 'backoff']),
            from: instant,
            to: Type.Union([instant, Type.Null()], { description: 'Null while it goes on.' }),
            attempt: Type.Union([Type.Integer(), Type.Null()]),
            workerId: Type.Union([Type.String(), Type.Null()]),
            outcome: Type.Union([Type.Enum(['completed', 'failed', 'canceled']), Type.Null()], {
              description: 'Of an attempt: how it ended; null while it runs.',
            }),
            error: orNull(ref('TaskError'), 'Why the attempt did not complete.'),
          }),
        ),
        marks: Type.Array(Type.Object({ kind: Type.Enum([...markKinds]), at: instant })),
      }),
    ),
    ...problems,
  },
}
