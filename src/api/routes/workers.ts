import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { isUuid } from '../../domain/id.ts'
import type { ClaimedTask } from '../../domain/outcome.ts'
import { limits } from '../../domain/submission.ts'
import type { UseCases } from '../../usecases/index.ts'
import { refuseBody } from '../body.ts'
import { readBody, schemaOf } from '../body-fields.ts'
import type { Closing } from '../closing.ts'
import { invalid } from '../problem.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { readEndings, readHeartbeat } from '../worker-request.ts'
import {
  attemptFields,
  claimFields,
  endingFields,
  finishFields,
  heartbeatFields,
  registrationFields,
} from '../worker-schema.ts'

type Working = Pick<UseCases, 'registerWorker' | 'claimTasks' | 'beatWorker' | 'finishTasks' | 'leaveWorker'>

/** Beats in a lease: two may be lost. */
const beatsPerLease = 3
const listBytes = 2 * 1024 * 1024

/** What workers in any language need: registering, claiming, beating and finishing. */
export function workerRoutes(app: FastifyInstance, useCases: Working, closing: Closing) {
  app.post('/workers', { schema: registerSchema, bodyLimit: listBytes }, async (request, reply) => {
    refuseQuery(request.query)
    const { id, leaseMs } = await useCases.registerWorker(readBody(request.body, registrationFields).values)
    return reply.code(201).send({ id, leaseMs, heartbeatMs: Math.floor(leaseMs / beatsPerLease) })
  })

  app.post('/workers/claim', { schema: claimSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const { workerId, limit, wait } = readBody(request.body, claimFields).values
    const wish = { limit, waitMs: Math.round(wait * 1000) }
    const tasks = await useCases.claimTasks(workerId.toLowerCase(), wish, closing.waitSignal(reply))
    return reply.type('application/json').send(`{"tasks":[${tasks.map(claimedJson).join(',')}]}`)
  })

  app.post('/workers/heartbeat', { schema: heartbeatSchema, bodyLimit: listBytes }, async (request) => {
    refuseQuery(request.query)
    const { workerId, tasks } = readHeartbeat(request.body)
    return useCases.beatWorker(workerId, tasks)
  })

  app.post('/workers/finish', { schema: finishSchema, bodyLimit: limits.batchBytes }, async (request) => {
    refuseQuery(request.query)
    const { workerId, tasks } = readEndings(request.body)
    return { tasks: await useCases.finishTasks(workerId, tasks) }
  })

  app.delete<{ Params: { id: string } }>('/workers/:id', { schema: leaveSchema }, async (request, reply) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    const { id } = request.params
    if (!isUuid(id)) throw invalid([{ parameter: 'id', detail: 'must be a UUID' }])
    await useCases.leaveWorker(id.toLowerCase())
    return reply.code(204).send()
  })
}

/** The payload goes into the answer as the text that it is. */
function claimedJson({ id, type, attempt, failures, maxAttempts, timeoutMs, payload }: ClaimedTask): string {
  const envelope = JSON.stringify({ id, type, attempt, failures, maxAttempts, timeoutMs })
  return `${envelope.slice(0, -1)},"payload":${payload}}`
}

const tags = ['Workers']
const uuid = Type.String({ format: 'uuid' })
const attempts = Type.Array(schemaOf(attemptFields))
const refusals = [
  'bad-request',
  'empty-body',
  'invalid-utf8',
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
  'invalid-request',
  'value-not-storable',
  'store-unavailable',
  'shutting-down',
] as const

const registerSchema = {
  operationId: 'registerWorker',
  security: needs('work'),
  summary: 'Register a worker that speaks HTTP',
  description: 'It lives as long as no more than `leaseMs` pass between two of its requests.',
  tags,
  body: schemaOf(registrationFields),
  response: {
    201: answer(
      'The worker is known.',
      Type.Object({
        id: uuid,
        leaseMs: Type.Integer(),
        heartbeatMs: Type.Integer({ description: 'How often it should beat.' }),
      }),
    ),
    ...problemAnswers(...refusals),
  },
}

const claimSchema = {
  operationId: 'claimTasks',
  security: needs('work'),
  summary: 'Claim tasks, or wait for some',
  description:
    'Tasks that the answer names are processing under this worker. `attempt` is the fence: name it when you finish.',
  tags,
  body: schemaOf(claimFields),
  response: {
    200: answer(
      'Tasks to run; none when there were none until the end of the wait.',
      Type.Object({
        tasks: Type.Array(
          Type.Object({
            id: uuid,
            type: Type.String(),
            attempt: Type.Integer(),
            failures: Type.Integer({ description: 'How often it has failed before.' }),
            maxAttempts: Type.Union([Type.Integer(), Type.Null()]),
            timeoutMs: Type.Union([Type.Integer(), Type.Null()], {
              description: 'The limit of this attempt, which the worker has to keep.',
            }),
            payload: Type.Unknown(),
          }),
        ),
      }),
    ),
    ...problemAnswers('worker-not-found', ...refusals),
  },
}

const heartbeatSchema = {
  operationId: 'beatWorker',
  security: needs('work'),
  summary: 'Renew the lease, and hear what to stop',
  description:
    'An attempt that is not named and was claimed longer than a lease ago is taken for lost on its way.',
  tags,
  body: schemaOf({ ...heartbeatFields, tasks: { ...heartbeatFields.tasks, schema: attempts } }),
  response: {
    200: answer(
      'The worker lives.',
      Type.Object({
        leaseMs: Type.Integer(),
        canceled: Type.Array(schemaOf(attemptFields), { description: 'Their tasks were canceled.' }),
        lost: Type.Array(schemaOf(attemptFields), { description: 'Others have them, or nobody.' }),
      }),
    ),
    ...problemAnswers('worker-not-found', ...refusals),
  },
}

const finishSchema = {
  operationId: 'finishTasks',
  security: needs('work'),
  summary: 'Record what became of attempts',
  description:
    'Each has one of `result`, `error` and `release` (to be run by another, unspent), and is accepted or refused by itself. A repeat is answered as the first was.',
  tags,
  body: schemaOf({
    ...finishFields,
    tasks: { ...finishFields.tasks, schema: Type.Array(schemaOf(endingFields)) },
  }),
  response: {
    200: answer(
      'In the order given.',
      Type.Object({
        tasks: Type.Array(
          Type.Object({
            id: uuid,
            attempt: Type.Integer(),
            accepted: Type.Boolean(),
            status: Type.Union([Type.String(), Type.Null()], { description: "The task's, now." }),
          }),
        ),
      }),
    ),
    ...problemAnswers('worker-not-found', ...refusals),
  },
}

const leaveSchema = {
  operationId: 'leaveWorker',
  security: needs('work'),
  summary: 'Say good-bye',
  description: 'What it still has is handed back, unspent.',
  tags,
  params: Type.Object({ id: uuid }),
  response: {
    204: { description: 'The worker is forgotten.' },
    ...problemAnswers('worker-not-found', 'invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
