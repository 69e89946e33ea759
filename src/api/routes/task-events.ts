import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type Sighting, sightingOf } from '../../domain/event.ts'
import { statuses, type TaskDetail } from '../../domain/task.ts'
import type { UseCases } from '../../usecases/index.ts'
import type { Closing } from '../closing.ts'
import { eventText, lastEventIdHeader, readLastEventId, sendEvents, streamAnswer } from '../event-stream.ts'
import { readPathId } from '../path-id.ts'
import { refuseQuery } from '../query.ts'
import { problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { taskEventJson } from '../task-json.ts'

type ById = { Params: { id: string } }
type Seen = Omit<Sighting, 'id'>

/** GET /tasks/{id}/events: one task, change by change. */
export function taskEventRoutes(
  app: FastifyInstance,
  useCases: Pick<UseCases, 'followTask'>,
  closing: Closing,
) {
  app.get<ById>('/tasks/:id/events', { schema: eventsSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const id = readPathId(request.params.id, '/tasks')
    const seen = readLastEventId(request, seenIn)
    const signal = closing.waitSignal(reply)
    const changes = await useCases.followTask(id, { seen, signal })
    // Nothing is left to tell, and with 204 a browser does not ask again.
    return changes ? sendEvents(reply, { events: eventsOf(changes, seen), signal }) : reply.code(204).send()
  })
}

async function* eventsOf(changes: AsyncIterable<TaskDetail>, seen: Seen | undefined): AsyncGenerator<string> {
  for await (const task of changes) {
    const now = sightingOf(task)
    const isProgress = seen?.status === now.status && seen.attempt === now.attempt
    yield eventText({ id: idOf(now), name: isProgress ? 'progress' : now.status, data: taskEventJson(task) })
    seen = now
  }
}

/** What was seen is all that a position is, so that every api process understands it. */
function idOf({ attempt, status, progress }: Seen): string {
  return `${attempt}.${status}.${progress}`
}

const idPattern = /^(\d{1,10})\.([a-z]+)\.(\d{1,10})$/

function seenIn(id: string): Seen | undefined {
  const [, attempt, word, progress] = idPattern.exec(id) ?? []
  const status = statuses.find((known) => known === word)
  return status && { attempt: Number(attempt), status, progress: Number(progress) }
}

const eventsSchema = {
  operationId: 'followTask',
  security: needs('read'),
  summary: 'Follow a task, change by change',
  description:
    'Server-sent events: the task as it is, then again after each change, until it is final. Each event is named after the status, or `progress` where only that has changed; its data is the task as in lists, with `progress`, and with `result` when it is completed. States that last less than some 25 ms may be left out; the final one never is. With `Last-Event-ID` the stream goes on from there, at any server.',
  tags: ['Tasks'],
  params: Type.Object({ id: Type.String({ format: 'uuid', description: 'Id of the task.' }) }),
  headers: lastEventIdHeader,
  response: {
    200: streamAnswer('Events, until the task is final.'),
    204: { description: 'The task is final, and `Last-Event-ID` has seen it.', type: 'null' },
    ...problemAnswers('task-not-found', 'invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
