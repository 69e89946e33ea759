import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { limits } from '../../domain/submission.ts'
import type { ScheduleUseCases, ScheduleView } from '../../usecases/schedules.ts'
import { refuseBody } from '../body.ts'
import { cursorOf, readTextCursor } from '../cursor.ts'
import { invalid, Problem, type ProblemCode } from '../problem.ts'
import { openQuery, refuseQuery } from '../query.ts'
import { readSchedule } from '../schedule-body.ts'
import { scheduleJson } from '../schedule-json.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { readKey } from '../submission.ts'
import { limitParameter, usualRows } from '../task-filter.ts'
import { taskJson } from '../task-json.ts'

type ByName = { Params: { name: string } }

/** What a body may have around its payload. */
const envelopeBytes = 64 * 1024

/** Schedules: what is submitted again and again. */
export function scheduleRoutes(app: FastifyInstance, useCases: ScheduleUseCases) {
  const bodyLimit = limits.payloadBytes + envelopeBytes

  app.get('/schedules', { schema: listSchema }, async (request, reply) => {
    const { limit, after } = readPage(request.query)
    const found = await useCases.listSchedules({ limit: limit + 1, ...(after ? { after } : {}) })
    return reply.type('application/json').send(pageJson(found, limit))
  })

  app.get<ByName>('/schedules/:name', { schema: getSchema }, async (request, reply) => {
    refuseQuery(request.query)
    return send(reply, await useCases.getSchedule(readName(request)))
  })

  app.put<ByName>('/schedules/:name', { schema: putSchema, bodyLimit }, async (request, reply) => {
    refuseQuery(request.query)
    const put = await useCases.putSchedule(readSchedule(readName(request), request.body))
    if ('detail' in put) throw invalid([{ pointer: `#/${put.field}`, detail: put.detail }])
    return send(reply.code(put.created ? 201 : 200), put.schedule)
  })

  app.delete<ByName>('/schedules/:name', { schema: deleteSchema }, async (request, reply) =>
    send(reply, await useCases.removeSchedule(readBare(request))),
  )

  app.post<ByName>('/schedules/:name/pause', { schema: pauseSchema }, async (request, reply) =>
    send(reply, await useCases.pauseSchedule(readBare(request))),
  )

  app.post<ByName>('/schedules/:name/resume', { schema: resumeSchema }, async (request, reply) =>
    send(reply, await useCases.resumeSchedule(readBare(request))),
  )

  app.post<ByName>('/schedules/:name/run', { schema: runSchema }, async (request, reply) => {
    const name = readBare(request)
    const key = readKey(request.headers['idempotency-key'])
    const { task, replayed } = await useCases.runSchedule(name, key)
    if (replayed) reply.header('idempotent-replayed', 'true')
    else reply.code(201).header('location', `/tasks/${task.id}`)
    return reply.type('application/json').send(taskJson(task))
  })
}

function send(reply: FastifyReply, schedule: ScheduleView) {
  return reply.type('application/json').send(scheduleJson(schedule))
}

const longestName = 128
const namePattern = `^[A-Za-z0-9_][A-Za-z0-9._:-]{0,${longestName - 1}}$`
const nameForm = new RegExp(namePattern)

function readName({ params: { name } }: FastifyRequest<ByName>): string {
  if (name === '') throw new Problem('route-not-found', 'did you mean /schedules?')
  if (nameForm.test(name)) return name
  const detail = `must be 1 to ${longestName} characters out of A-Z a-z 0-9 . _ : - and begin with a letter, a digit or _`
  throw invalid([{ parameter: 'name', detail }])
}

/** The name in a request that has nothing else to say. */
function readBare(request: FastifyRequest<ByName>): string {
  refuseQuery(request.query)
  refuseBody(request.body)
  return readName(request)
}

const cursorParameter = {
  schema: Type.String({ description: 'The `next` of the page before.' }),
  read: readTextCursor,
  rule: 'must be the `next` of a page',
}

function readPage(given: unknown): { limit: number; after: string | undefined } {
  const query = openQuery(given, ['limit', 'cursor'])
  const limit = query.take('limit', limitParameter) ?? usualRows
  const after = query.take('cursor', cursorParameter)
  query.close()
  return { limit, after }
}

function pageJson(found: readonly ScheduleView[], limit: number): string {
  const page = found.slice(0, limit)
  const next = found.length > limit ? JSON.stringify(cursorOf(page.at(-1)!.name)) : 'null'
  const rows = page.map((schedule) => scheduleJson(schedule, { payload: false }))
  return `{"data":[${rows.join(',')}],"page":{"next":${next}}}`
}

const tags = ['Schedules']
const params = Type.Object({ name: Type.String({ pattern: namePattern, description: 'Its name.' }) })
const usual = ['invalid-request', 'store-unavailable', 'shutting-down'] as const
const one = answer('The schedule.', ref('Schedule'))

function byName(summary: string, operationId: string, ...codes: ProblemCode[]) {
  const response = { 200: one, ...problemAnswers('schedule-not-found', ...codes, ...usual) }
  return { operationId, summary, security: needs('admin'), tags, params, response }
}

const listSchema = {
  operationId: 'listSchedules',
  security: needs('read'),
  summary: 'List schedules, by name',
  description:
    'The rows leave out `task.payload`. Follow `page.next` to see the rest; it is null at the end.',
  tags,
  querystring: Type.Object({
    limit: Type.Optional(limitParameter.schema),
    cursor: Type.Optional(cursorParameter.schema),
  }),
  response: {
    200: answer(
      'A page.',
      Type.Object({
        data: Type.Array(ref('Schedule')),
        page: Type.Object({ next: Type.Union([Type.String(), Type.Null()]) }),
      }),
    ),
    ...problemAnswers('bad-cursor', ...usual),
  },
}

const getSchema = { ...byName('Get a schedule', 'getSchedule'), security: needs('read') }

const putSchema = {
  operationId: 'putSchedule',
  security: needs('admin'),
  summary: 'Make or replace a schedule',
  description:
    'Putting the same again changes nothing: a time that is due stays due, and a schedule that is paused stays paused.',
  tags,
  params,
  body: ref('ScheduleDefinition'),
  response: {
    200: answer('It was there and is replaced.', ref('Schedule')),
    201: answer('It is new.', ref('Schedule')),
    ...problemAnswers(
      'bad-request',
      'empty-body',
      'invalid-utf8',
      'malformed-json',
      'body-too-large',
      'unsupported-media-type',
      'value-not-storable',
      ...usual,
    ),
  },
}

const deleteSchema = {
  ...byName('Delete a schedule', 'deleteSchedule'),
  description: 'Answers the schedule as it was. Its tasks stay.',
}

const pauseSchema = {
  ...byName('Pause a schedule', 'pauseSchedule'),
  description: 'Its times pass and are not caught up with.',
}

const resumeSchema = {
  ...byName('Let a paused schedule go on', 'resumeSchedule'),
  description: 'With the first time that comes after now.',
}

const runSchema = {
  operationId: 'runSchedule',
  security: needs('submit'),
  summary: 'Submit the task of a schedule now',
  description: 'Beside its times, which stay as they are; also while it is paused.',
  tags,
  params,
  headers: Type.Object({
    'Idempotency-Key': Type.Optional(Type.String({ maxLength: limits.idempotencyKeyLength })),
  }),
  response: {
    200: answer('The idempotency key has this task already.', ref('Task'), {
      'Idempotent-Replayed': Type.Literal('true'),
    }),
    201: answer('The task is stored.', ref('Task'), {
      Location: Type.String({ description: 'Where the task is: `/tasks/{id}`.' }),
    }),
    ...problemAnswers('schedule-not-found', 'idempotency-key-reused', ...usual),
  },
}
