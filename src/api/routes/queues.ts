import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { UseCases } from '../../usecases/index.ts'
import { refuseBody } from '../body.ts'
import { invalid } from '../problem.ts'
import { refuseQuery } from '../query.ts'
import { limitProperties, readLimits } from '../queue-limits.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { namePattern, nameRule } from '../submission-schema.ts'

type ByName = { Params: { name: string } }

/** Looking at queues, pausing them and changing their limits. */
export function queueRoutes(
  app: FastifyInstance,
  useCases: Pick<UseCases, 'listQueues' | 'changeQueue' | 'pauseQueue' | 'resumeQueue'>,
) {
  app.get('/queues', { schema: listSchema }, async (request) => {
    refuseQuery(request.query)
    return useCases.listQueues()
  })

  app.patch<ByName>('/queues/:name', { schema: changeSchema }, async (request) => {
    refuseQuery(request.query)
    return useCases.changeQueue(readName(request.params.name), readLimits(request.body))
  })

  app.post<ByName>('/queues/:name/pause', { schema: pauseSchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return useCases.pauseQueue(readName(request.params.name))
  })

  app.post<ByName>('/queues/:name/resume', { schema: resumeSchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return useCases.resumeQueue(readName(request.params.name))
  })
}

const isName = new RegExp(namePattern)

function readName(name: string): string {
  if (!isName.test(name)) throw invalid([{ parameter: 'name', detail: nameRule }])
  return name
}

const params = Type.Object({
  name: Type.String({ pattern: namePattern, description: 'Name of the queue, a `/` in it as `%2F`.' }),
})
const tags = ['Queues']
const byNameProblems = ['invalid-request', 'store-unavailable', 'shutting-down'] as const

const listSchema = {
  operationId: 'listQueues',
  security: needs('read'),
  summary: 'The queues, with what waits in them and their limits',
  description: 'As quick with a hundred million tasks as with a hundred.',
  tags,
  response: { 200: answer('The queues.', Type.Array(ref('Queue'))), ...problemAnswers(...byNameProblems) },
}

const changeSchema = {
  operationId: 'changeQueue',
  security: needs('admin'),
  summary: 'Change the limits of a queue',
  description: 'Those that are named are changed; null takes a limit away. What runs already is left to run.',
  tags,
  params,
  body: Type.Object(
    Object.fromEntries(
      Object.entries(limitProperties).map(([name, schema]) => [name, Type.Optional(schema)]),
    ),
    { additionalProperties: false, minProperties: 1, examples: [{ concurrency: 20, keyConcurrency: 2 }] },
  ),
  response: {
    200: answer('The queue.', ref('Queue')),
    ...problemAnswers(
      'empty-body',
      'malformed-json',
      'body-too-large',
      'unsupported-media-type',
      ...byNameProblems,
    ),
  },
}

const pauseSchema = {
  operationId: 'pauseQueue',
  security: needs('admin'),
  summary: 'Pause a queue',
  description: 'Tasks are accepted and wait; what runs already is left to run. Pausing twice is no error.',
  tags,
  params,
  response: { 200: answer('The queue, paused.', ref('Queue')), ...problemAnswers(...byNameProblems) },
}

const resumeSchema = {
  operationId: 'resumeQueue',
  security: needs('admin'),
  summary: 'Let a paused queue go on',
  description: 'No error for a queue that is not paused.',
  tags,
  params,
  response: { 200: answer('The queue.', ref('Queue')), ...problemAnswers(...byNameProblems) },
}
