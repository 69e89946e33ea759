import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { permits } from '../../domain/access.ts'
import { type BulkAction, bulkStatuses, bulkVerbs } from '../../domain/bulk-action.ts'
import type { UseCases } from '../../usecases/index.ts'
import { refuseBody } from '../body.ts'
import { bulkBodySchema, readBulkBody } from '../bulk-body.ts'
import { idPage, idPageAnswer, idPageQuery, readIdPage } from '../id-page.ts'
import { readPathId } from '../path-id.ts'
import { Problem } from '../problem.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'

type ById = { Params: { id: string } }
type Handling = Pick<
  UseCases,
  'createBulkAction' | 'readBulkAction' | 'listBulkActions' | 'startBulkAction' | 'abortBulkAction'
>

/** Canceling, retrying and deleting all tasks that a filter chooses. */
export function bulkActionRoutes(app: FastifyInstance, useCases: Handling) {
  const readId = (id: string) => readPathId(id, '/bulk-actions')

  app.post('/bulk-actions', { schema: createSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const wish = readBulkBody(request.body)
    if (wish.action === 'delete') mustBeAdmin(request)
    const action = await useCases.createBulkAction(wish)
    return reply.code(201).header('location', `/bulk-actions/${action.id}`).send(view(action))
  })

  app.get('/bulk-actions', { schema: listSchema }, async (request) => {
    const { actions, next } = await useCases.listBulkActions(readIdPage(request.query))
    return idPage(actions.map(view), next)
  })

  app.get<ById>('/bulk-actions/:id', { schema: getSchema }, async (request) => {
    refuseQuery(request.query)
    return view(await useCases.readBulkAction(readId(request.params.id)))
  })

  app.post<ById>('/bulk-actions/:id/start', { schema: startSchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    const id = readId(request.params.id)
    if (!isAdmin(request) && (await useCases.readBulkAction(id)).action === 'delete') mustBeAdmin(request)
    return view(await useCases.startBulkAction(id))
  })

  app.post<ById>('/bulk-actions/:id/abort', { schema: abortSchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return view(await useCases.abortBulkAction(readId(request.params.id)))
  })
}

/** Without keys everybody is. */
function isAdmin({ caller }: FastifyRequest): boolean {
  return caller === null || permits(caller.scopes, 'admin')
}

/** Who may cancel and retry may not yet delete. */
function mustBeAdmin(request: FastifyRequest): void {
  if (isAdmin(request)) return
  const detail = `deleting tasks takes the scope admin, and the key "${request.caller?.name}" has it not`
  throw new Problem('forbidden', detail)
}

function view(action: BulkAction): object {
  return { ...action, filter: JSON.parse(action.filter) }
}

const instant = Type.String({ format: 'date-time', examples: ['2030-01-31T09:00:00.000Z'] })
const orNull = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description })
const count = (description: string) => Type.Integer({ minimum: 0, description })

export const bulkActionSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    action: Type.Enum([...bulkVerbs]),
    filter: Type.Record(Type.String(), Type.Unknown(), { description: 'As it was given.' }),
    status: Type.Enum([...bulkStatuses]),
    matched: count('Tasks that it is for; it grows while they are counted.'),
    done: count('Tasks to which it was done.'),
    skipped: count('Tasks that had moved on, so that it could not be done to them.'),
    ratePerSecond: orNull(Type.Number({ minimum: 0 }), 'Tasks in a second.'),
    remainingMs: orNull(
      Type.Integer({ minimum: 0 }),
      'How long it will take from now, about; while it runs.',
    ),
    createdAt: instant,
    startedAt: orNull(instant, 'When it began.'),
    finishedAt: orNull(instant, 'When it was over.'),
    error: orNull(Type.String(), 'Why it failed.'),
  },
  {
    $id: 'BulkAction',
    description: 'Something that is done to all tasks that a filter chose when it was created.',
  },
)

const tags = ['Bulk actions']
const params = Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the bulk action.' }) })
const problems = ['invalid-request', 'store-unavailable', 'shutting-down'] as const
const byIdProblems = ['bulk-action-not-found', ...problems] as const

const createSchema = {
  operationId: 'createBulkAction',
  security: needs('cancel'),
  summary: 'Cancel, retry or delete all tasks that a filter chooses',
  description:
    'The tasks that there are now are counted first, in the background if they are many. It is `ready` then, and waits to be started, for a day; with `start` it begins by itself. Deleting takes the scope `admin`.',
  tags,
  body: bulkBodySchema,
  response: {
    201: answer('The bulk action.', ref('BulkAction'), {
      Location: Type.String({ description: 'Where it is.' }),
    }),
    ...problemAnswers(
      'empty-body',
      'malformed-json',
      'body-too-large',
      'unsupported-media-type',
      ...problems,
    ),
  },
}

const listSchema = {
  operationId: 'listBulkActions',
  security: needs('read'),
  summary: 'The bulk actions, newest first',
  tags,
  querystring: idPageQuery,
  response: {
    200: idPageAnswer('A page.', 'BulkAction'),
    ...problemAnswers('bad-cursor', ...problems),
  },
}

const getSchema = {
  operationId: 'getBulkAction',
  security: needs('read'),
  summary: 'How far a bulk action is',
  tags,
  params,
  response: { 200: answer('The bulk action.', ref('BulkAction')), ...problemAnswers(...byIdProblems) },
}

const startSchema = {
  operationId: 'startBulkAction',
  security: needs('cancel'),
  summary: 'Start a bulk action',
  description: 'At once, or when it is counted. Starting twice is no error.',
  tags,
  params,
  response: {
    200: answer('The bulk action.', ref('BulkAction')),
    ...problemAnswers('bulk-action-over', ...byIdProblems),
  },
}

const abortSchema = {
  operationId: 'abortBulkAction',
  security: needs('cancel'),
  summary: 'Stop a bulk action',
  description: 'After the answer nothing more is done; what was done stays done. Aborting twice is no error.',
  tags,
  params,
  response: {
    200: answer('The bulk action.', ref('BulkAction')),
    ...problemAnswers('bulk-action-over', ...byIdProblems),
  },
}
