import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { limits } from '../../domain/submission.ts'
import type { UseCases } from '../../usecases/index.ts'
import type { Closing } from '../closing.ts'
import { longestWaitSeconds, readPreferredWait } from '../prefer.ts'
import { invalid } from '../problem.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { readBatch, readSubmission } from '../submission.ts'
import { batchCallbackUrl } from '../submission-schema.ts'
import { taskJson } from '../task-json.ts'

/** What a body may have around its payload. */
const envelopeBytes = 64 * 1024

type Submitting = Pick<UseCases, 'submitTask' | 'submitBatch' | 'awaitTask'>

/** POST /tasks and POST /tasks/batch: the hot path. */
export function submitRoutes(app: FastifyInstance, useCases: Submitting, closing: Closing) {
  const bodyLimit = limits.payloadBytes + envelopeBytes
  app.post('/tasks', { schema: submitSchema, bodyLimit }, async (request, reply) => {
    refuseQuery(request.query)
    const submission = readSubmission(request.body, keyHeader(request))
    const waitSeconds = readPreferredWait(request)
    const { task, replayed } = await useCases.submitTask(submission)
    if (replayed) reply.header('idempotent-replayed', 'true')
    else reply.code(201).header('location', `/tasks/${task.id}`)
    if (waitSeconds === undefined) return reply.type('application/json').send(taskJson(task))
    reply.header('preference-applied', `wait=${waitSeconds}`)
    // It is stored, and that is the answer, whatever comes between.
    const waited = useCases.awaitTask(task.id, waitSeconds * 1000, closing.waitSignal(reply))
    return reply.type('application/json').send(taskJson(await waited.catch(() => task)))
  })

  app.post('/tasks/batch', { schema: batchSchema, bodyLimit: limits.batchBytes }, async (request, reply) => {
    refuseQuery(request.query)
    if (keyHeader(request) !== undefined) throw invalid([keyOfBatch])
    const { tasks, atEnd } = readBatch(request.body)
    const { batchId, ids } = await useCases.submitBatch(tasks, atEnd)
    return reply
      .code(201)
      .type('application/json')
      .send(JSON.stringify({ batchId, count: ids.length, ids }))
  })
}

const keyOfBatch = {
  header: 'Idempotency-Key',
  detail: 'belongs to a single task; give each task of a batch its own idempotencyKey',
}

function keyHeader({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  return Array.isArray(key) ? key.join() : key
}

const refusalCodes = [
  'bad-request',
  'empty-body',
  'invalid-utf8',
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
  'invalid-request',
  'idempotency-key-reused',
  'value-not-storable',
  'store-unavailable',
  'shutting-down',
] as const

const submitSchema = {
  operationId: 'submitTask',
  security: needs('submit'),
  summary: 'Submit a task',
  description:
    'A 201 means that the task is on disk. With an idempotency key, the same submission sent again answers 200 and the task as it is now.',
  tags: ['Submitting'],
  headers: Type.Object({
    'Idempotency-Key': Type.Optional(
      Type.String({
        maxLength: limits.idempotencyKeyLength,
        description: 'As `idempotencyKey` in the body.',
      }),
    ),
    Prefer: Type.Optional(
      Type.String({
        description: `\`wait=N\`: answer when the task is final, or with its state after N seconds, ${longestWaitSeconds} at most.`,
        examples: ['wait=10'],
      }),
    ),
  }),
  body: ref('Submission'),
  response: {
    ...problemAnswers('payload-too-large', ...refusalCodes),
    200: answer('The idempotency key has this task already.', ref('Task'), {
      'Idempotent-Replayed': Type.Literal('true'),
    }),
    201: answer('The task is stored.', ref('Task'), {
      Location: Type.String({ description: 'Where the task is: `/tasks/{id}`.' }),
      'Preference-Applied': Type.Optional(Type.String({ description: 'The wait, where one was preferred.' })),
    }),
  },
}

const batchSchema = {
  operationId: 'submitBatch',
  security: needs('submit'),
  summary: 'Submit many tasks, all or none',
  description: `Up to ${limits.batchTasks} tasks and 16 MiB. When one of them is invalid, none is stored and \`errors\` tells which.`,
  tags: ['Submitting'],
  body: Type.Object(
    {
      tasks: Type.Array(ref('Submission'), { minItems: 1, maxItems: limits.batchTasks }),
      // biome-ignore lint/suspicious/noThenProperty: the name of a member of the body
      then: Type.Optional(ref('Sequel')),
      callbackUrl: Type.Optional(batchCallbackUrl),
    },
    { additionalProperties: false },
  ),
  response: {
    ...problemAnswers(...refusalCodes),
    201: answer(
      'All tasks are stored.',
      Type.Object({
        batchId: Type.String({ format: 'uuid', description: 'For `GET /batches/{id}`.' }),
        count: Type.Integer(),
        ids: Type.Array(Type.String({ format: 'uuid' }), {
          description: 'In the order in which they were given.',
        }),
      }),
    ),
  },
}
