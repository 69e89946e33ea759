import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { TaskFilter, TaskPage } from '../../domain/ports.ts'
import type { UseCases } from '../../usecases/index.ts'
import { refuseBody } from '../body.ts'
import type { Closing } from '../closing.ts'
import { cursorOf, upwardCursorOf } from '../cursor.ts'
import { readPathId } from '../path-id.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { listParameters, readTaskFilter } from '../task-filter.ts'
import { taskDetailJson, taskSummaryJson } from '../task-json.ts'
import { readWaitMs, waitParameter } from '../wait-parameter.ts'

type ById = { Params: { id: string } }

/** What one page of rows with payloads may weigh before it ends early. */
const fullPageLength = 16 * 1024 * 1024

/** Looking at tasks, canceling and retrying them. */
export function taskRoutes(app: FastifyInstance, useCases: UseCases, closing: Closing) {
  app.get('/tasks', { schema: listSchema }, async (request, reply) => {
    const filter = readTaskFilter(request.query)
    return reply.type('application/json').send(pageJson(await useCases.listTasks(filter), filter))
  })

  app.get<ById>('/tasks/:id', { schema: getSchema }, async (request, reply) => {
    const id = readId(request.params.id)
    const waitMs = readWaitMs(request.query)
    if (waitMs === 0) return sendTask(reply, await useCases.getTask(id))
    return sendTask(reply, await useCases.awaitTask(id, waitMs, closing.waitSignal(reply)))
  })

  const cancel = async (id: string, reply: FastifyReply) =>
    sendTask(reply, await useCases.cancelTask(readId(id)))

  app.post<ById>('/tasks/:id/cancel', { schema: cancelSchema }, async (request, reply) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return cancel(request.params.id, reply)
  })

  app.delete<ById>('/tasks/:id', { schema: deleteSchema }, async (request, reply) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return cancel(request.params.id, reply)
  })

  app.post<ById>('/tasks/:id/retry', { schema: retrySchema }, async (request, reply) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return sendTask(reply, await useCases.retryTask(readId(request.params.id)))
  })
}

function sendTask(reply: FastifyReply, task: Awaited<ReturnType<UseCases['getTask']>>) {
  return reply.type('application/json').send(taskDetailJson(task))
}

const readId = (id: string) => readPathId(id, '/tasks')

/** A page that is too heavy is cut at the end that is farther from where it began. */
function pageJson({ tasks, next, prev, searchedTo }: TaskPage, { after }: TaskFilter): string {
  const isUpward = after !== undefined
  const rows: string[] = []
  let length = 0
  for (const task of isUpward ? tasks.toReversed() : tasks) {
    const row = taskSummaryJson(task)
    if (rows.length > 0 && length + row.length > fullPageLength) break
    rows.push(row)
    length += row.length
  }
  const isCut = rows.length < tasks.length
  if (isUpward) rows.reverse()
  const older = isCut && !isUpward ? tasks[rows.length - 1]!.id : next
  const newer = isCut && isUpward ? tasks.at(-rows.length)!.id : prev
  const cursors = `"next":${older && `"${cursorOf(older)}"`},"prev":${newer && `"${upwardCursorOf(newer)}"`}`
  const searched = searchedTo === null || isCut ? '' : `,"searchedTo":${JSON.stringify(searchedTo)}`
  return `{"data":[${rows.join(',')}],"page":{${cursors}${searched}}}`
}

const params = Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the task.' }) })
const tags = ['Tasks']

const listSchema = {
  operationId: 'listTasks',
  security: needs('read'),
  summary: 'List tasks, newest first',
  description:
    'Follow `page.next` to see the rest; it is null at the end. `page.prev` leads back, and to what has come since.',
  tags,
  querystring: Type.Object(
    Object.fromEntries(
      Object.entries(listParameters).map(([name, { schema }]) => [name, Type.Optional(schema)]),
    ),
  ),
  response: {
    200: answer(
      'A page.',
      Type.Object({
        data: Type.Array(ref('TaskSummary')),
        page: Type.Object({
          next: Type.Union([Type.String(), Type.Null()], { description: 'The cursor of the next page.' }),
          prev: Type.Union([Type.String(), Type.Null()], {
            description: 'The cursor of the page before, with newer tasks; null where there were none.',
          }),
          searchedTo: Type.Optional(
            Type.String({
              description:
                'An id. Present when the time limit ended the search before the page was full: every task up to it was looked at.',
            }),
          ),
        }),
      }),
    ),
    ...problemAnswers('bad-cursor', 'invalid-request', 'store-unavailable', 'shutting-down'),
  },
}

const byIdProblems = ['task-not-found', 'invalid-request', 'store-unavailable', 'shutting-down'] as const

const getSchema = {
  operationId: 'getTask',
  security: needs('read'),
  summary: 'Get a task, or wait for it',
  tags,
  params,
  querystring: Type.Object({ wait: Type.Optional(waitParameter.schema) }),
  response: { 200: answer('The task.', ref('TaskDetail')), ...problemAnswers(...byIdProblems) },
}

const cancelSchema = {
  operationId: 'cancelTask',
  security: needs('cancel'),
  summary: 'Cancel a task',
  description:
    'True at once: no handler starts for the task after the answer, and no outcome is stored. Canceling twice is no error.',
  tags,
  params,
  response: {
    200: answer('The task, canceled.', ref('TaskDetail')),
    ...problemAnswers('task-not-cancelable', ...byIdProblems),
  },
}

const deleteSchema = {
  ...cancelSchema,
  operationId: 'deleteTask',
  security: needs('cancel'),
  summary: 'Cancel a task (same as POST …/cancel)',
}

const retrySchema = {
  operationId: 'retryTask',
  security: needs('cancel'),
  summary: 'Run a failed or canceled task again',
  description: 'The task becomes pending with `maxAttempts` fresh attempts.',
  tags,
  params,
  response: {
    200: answer('The task, pending.', ref('TaskDetail')),
    ...problemAnswers('task-not-retryable', ...byIdProblems),
  },
}
