import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import {
  type FailureGroupWish,
  type FailureOrder,
  type FailurePosition,
  failureOrders,
} from '../../domain/failure-group.ts'
import type { UseCases } from '../../usecases/index.ts'
import { cursorOf, readTextCursor } from '../cursor.ts'
import { Problem } from '../problem.ts'
import { openQuery } from '../query.ts'
import { answer, problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { limitParameter, listParameters, oneTypeParameter, usualRows } from '../task-filter.ts'

/** GET /errors: what fails, grouped by what is alike. */
export function errorRoutes(app: FastifyInstance, useCases: Pick<UseCases, 'listFailureGroups'>) {
  app.get('/errors', { schema: errorsSchema }, async (request) => {
    const wish = readWish(request.query)
    const { groups, next } = await useCases.listFailureGroups(wish)
    return { data: groups, page: { next: next === null ? null : cursorAt(wish.order, next) } }
  })
}

const isOrder = (text: string): text is FailureOrder => failureOrders.some((order) => order === text)

const parameters = {
  order: {
    schema: Type.Enum([...failureOrders], {
      description: '`latest` first, which is usual, or those with the `most` failed tasks.',
    }),
    read: (text: string) => (isOrder(text) ? text : undefined),
    rule: `must be one of ${failureOrders.join(', ')}`,
  },
  type: oneTypeParameter,
  queue: listParameters.queue,
  limit: limitParameter,
  cursor: {
    schema: Type.String({ description: 'The `next` of the page before.' }),
    read: readTextCursor,
    rule: 'must be the `next` of a page',
  },
}

function readWish(given: unknown): FailureGroupWish {
  const query = openQuery(given, Object.keys(parameters))
  const order = query.take('order', parameters.order) ?? 'latest'
  const type = query.take('type', parameters.type)
  const queue = query.take('queue', parameters.queue)
  const limit = query.take('limit', parameters.limit) ?? usualRows
  const cursor = query.take('cursor', parameters.cursor)
  query.close()
  const after = cursor === undefined ? undefined : positionIn(order, cursor)
  return { order, limit, ...(after && { after }), ...(type && { type }), ...(queue && { queue }) }
}

const cursorAt = (order: FailureOrder, { value, fingerprint }: FailurePosition) =>
  cursorOf([order, value, fingerprint].join('~'))

const valuePatterns = { latest: /^\d{4}-\d\d-\d\d[ T][\d:.]+(?:[+-][\d:]+|Z)$/, most: /^\d{1,18}$/ }

function positionIn(order: FailureOrder, text: string): FailurePosition {
  const [of, value = '', fingerprint = ''] = text.split('~')
  if (of === order && valuePatterns[order].test(value) && /^[0-9a-f]{16}$/.test(fingerprint))
    return { value, fingerprint }
  throw new Problem(
    'bad-cursor',
    'the cursor is not the `next` of a page in this order; start again without one',
  )
}

const instant = Type.String({ format: 'date-time' })

const errorsSchema = {
  operationId: 'listErrors',
  security: needs('read'),
  summary: 'What fails, grouped',
  description:
    'Failed tasks by what is alike in their errors: the name, the message without numbers, ids and quoted text, and where the error was made. `GET /tasks?fingerprint=` lists the tasks of a group. As quick with a million failures as with a hundred; what failed or was retried within the last second or two may not be counted yet.',
  tags: ['Tasks'],
  querystring: Type.Partial(
    Type.Object(Object.fromEntries(Object.entries(parameters).map(([name, { schema }]) => [name, schema]))),
  ),
  response: {
    200: answer(
      'A page of groups.',
      Type.Object({
        data: Type.Array(
          Type.Object({
            fingerprint: Type.String(),
            name: Type.String({ description: 'Of the latest failure, like the message and the frame.' }),
            message: Type.String(),
            topFrame: Type.Union([Type.String(), Type.Null()]),
            types: Type.Array(Type.String(), { description: 'Of the tasks that failed so, ten at most.' }),
            queues: Type.Array(Type.String()),
            count: Type.Integer({ description: 'Tasks that are failed now.' }),
            firstSeenAt: instant,
            lastSeenAt: instant,
            sampleTaskId: Type.String({ format: 'uuid' }),
            trend: Type.Array(Type.Integer(), {
              description: 'How many failed in each of the last 24 hours, the present one last.',
            }),
          }),
        ),
        page: Type.Object({ next: Type.Union([Type.String(), Type.Null()]) }),
      }),
    ),
    ...problemAnswers('bad-cursor', 'invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
