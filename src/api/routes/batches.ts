import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { UseCases } from '../../usecases/index.ts'
import { refuseBody } from '../body.ts'
import type { Closing } from '../closing.ts'
import { idPage, idPageAnswer, idPageQuery, readIdPage } from '../id-page.ts'
import { readPathId } from '../path-id.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { readWaitMs, waitParameter } from '../wait-parameter.ts'

type ById = { Params: { id: string } }
type Handling = Pick<UseCases, 'readBatch' | 'listBatches' | 'awaitBatch' | 'cancelBatch' | 'retryBatch'>

/** How far batches are, and what is done to all of their tasks. */
export function batchRoutes(app: FastifyInstance, useCases: Handling, closing: Closing) {
  const readId = (id: string) => readPathId(id, '/tasks/batch')

  app.get('/batches', { schema: listSchema }, async (request) => {
    const { batches, next } = await useCases.listBatches(readIdPage(request.query))
    return idPage(batches, next)
  })

  app.get<ById>('/batches/:id', { schema: getSchema }, async (request, reply) => {
    const id = readId(request.params.id)
    const waitMs = readWaitMs(request.query)
    if (waitMs === 0) return useCases.readBatch(id)
    return useCases.awaitBatch(id, waitMs, closing.waitSignal(reply))
  })

  app.post<ById>('/batches/:id/cancel', { schema: cancelSchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return { canceled: await useCases.cancelBatch(readId(request.params.id)) }
  })

  app.post<ById>('/batches/:id/retry', { schema: retrySchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return { retried: await useCases.retryBatch(readId(request.params.id)) }
  })
}

const instant = { format: 'date-time', examples: ['2030-01-31T09:00:00.000Z'] }
const orNull = (description: string, format: Record<string, unknown>) =>
  Type.Union([Type.String(format), Type.Null()], { description })

export const batchSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    total: Type.Integer({ description: 'Tasks that were stored with it.' }),
    counts: ref('Counts'),
    createdAt: Type.String(instant),
    finishedAt: orNull('When the last of its tasks became final; null while one is not.', instant),
    importing: Type.Boolean({ description: 'Tasks are still being added to it.' }),
    thenId: orNull('The task that was submitted when it was finished.', { format: 'uuid' }),
  },
  { $id: 'Batch' },
)

const params = Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the batch.' }) })
const tags = ['Batches']
const problems = problemAnswers('batch-not-found', 'invalid-request', 'store-unavailable', 'shutting-down')

const listSchema = {
  operationId: 'listBatches',
  security: needs('read'),
  summary: 'Batches, newest first',
  tags,
  querystring: idPageQuery,
  response: {
    200: idPageAnswer('A page of batches.', 'Batch'),
    ...problemAnswers('bad-cursor', 'invalid-request', 'store-unavailable', 'shutting-down'),
  },
}

const getSchema = {
  operationId: 'getBatch',
  security: needs('read'),
  summary: 'How far a batch is, or wait for it',
  description: 'Exact, and as quick for a million tasks as for ten. `GET /tasks?batchId=` lists the tasks.',
  tags,
  params,
  querystring: Type.Object({ wait: Type.Optional(waitParameter.schema) }),
  response: { 200: answer('The batch.', ref('Batch')), ...problems },
}

const cancelSchema = {
  operationId: 'cancelBatch',
  security: needs('cancel'),
  summary: 'Cancel what is left of a batch',
  description:
    'Cancels every task that is scheduled, pending or processing. A request that broke off is sent again, and goes on where it ended.',
  tags,
  params,
  response: {
    200: answer('How many were canceled.', Type.Object({ canceled: Type.Integer() })),
    ...problems,
  },
}

const retrySchema = {
  operationId: 'retryBatch',
  security: needs('cancel'),
  summary: 'Run the failed tasks of a batch again',
  description:
    'Each becomes pending with `maxAttempts` fresh attempts. What was to come when the batch was finished has come, and does not come again.',
  tags,
  params,
  response: {
    200: answer('How many are pending again.', Type.Object({ retried: Type.Integer() })),
    ...problems,
  },
}
