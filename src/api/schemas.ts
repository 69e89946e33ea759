import { type TSchema, Type } from 'typebox'
import { priorities, statuses } from '../domain/task.ts'
import { type ProblemCode, problems, problemType } from './problem.ts'
import { limitProperties } from './queue-limits.ts'

const id = { format: 'uuid', examples: ['019a5f0e-6f3c-7a41-9c55-3b1f0a7d2e10'] }
const instant = { format: 'date-time', examples: ['2030-01-31T09:00:00.000Z'] }
const orNull = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description })
const count = (description: string) => Type.Integer({ minimum: 0, description })
const json = (description: string) => Type.Unknown({ description })

const taskError = Type.Object(
  {
    name: Type.String(),
    message: Type.String(),
    code: Type.Optional(Type.String()),
    stack: Type.Optional(Type.String()),
    attempt: Type.Integer({ description: 'The attempt in which it happened.' }),
  },
  { $id: 'TaskError', description: 'Why an attempt did not complete.' },
)

const identity = {
  id: Type.String({ ...id, description: 'UUIDv7: ids sort by the time of their creation.' }),
  type: Type.String(),
  queue: Type.String(),
  key: orNull(Type.String(), 'Who it is for, in a queue with limits for each key.'),
  status: Type.Enum([...statuses]),
  priority: Type.Enum([...priorities]),
}
const contents = {
  payload: json('The text that was sent, byte for byte.'),
  result: json('What the handler returned; null until then.'),
}
const history = {
  error: orNull(ref('TaskError'), 'Why the task failed, or its last attempt did.'),
  attempt: count('Number of the latest attempt; 0 before the first.'),
  maxAttempts: Type.Integer({ description: 'How often the handler may fail.' }),
  batchId: orNull(Type.String({ format: 'uuid' }), 'The batch it was submitted with.'),
  idempotencyKey: orNull(Type.String(), 'The key it was submitted with.'),
  createdAt: Type.String(instant),
  runAt: Type.String({ ...instant, description: 'When it is or was due.' }),
  startedAt: orNull(Type.String(instant), 'When the latest attempt began.'),
  finishedAt: orNull(Type.String(instant), 'When the task became final.'),
  workerId: orNull(Type.String(), 'The worker of the latest attempt.'),
}

const pastAttempt = Type.Object(
  {
    attempt: Type.Integer(),
    error: ref('TaskError'),
    startedAt: orNull(Type.String(instant), 'When it began.'),
    finishedAt: Type.String(instant),
    workerId: orNull(Type.String(), 'Who ran it.'),
  },
  { $id: 'PastAttempt', description: 'An attempt that did not complete.' },
)

const progress = Type.Object(
  {
    done: Type.Number({ minimum: 0 }),
    total: orNull(Type.Number({ minimum: 0 }), 'How much there is to do, where the handler knows it.'),
    message: orNull(Type.String(), 'What it is at.'),
    at: Type.String(instant),
  },
  { $id: 'Progress', description: 'How far the latest attempt says it is.' },
)

const task = Type.Object({ ...identity, ...contents, ...history }, { $id: 'Task' })
const taskDetail = Type.Object(
  {
    ...identity,
    ...contents,
    ...history,
    progress: orNull(ref('Progress'), 'How far the latest attempt says it is; null while it says nothing.'),
    attempts: Type.Array(ref('PastAttempt')),
  },
  { $id: 'TaskDetail', description: 'A task with its progress and its attempts that did not complete.' },
)
const taskSummary = Type.Object(
  {
    ...identity,
    payload: Type.Optional(contents.payload),
    result: Type.Optional(contents.result),
    ...history,
  },
  {
    $id: 'TaskSummary',
    description: 'A row of a list; payload and result are there when `include` names them.',
  },
)

const counts = Type.Object(Object.fromEntries(statuses.map((status) => [status, Type.Integer()])), {
  $id: 'Counts',
  description: 'Exact numbers of tasks by status.',
})
const age = orNull(Type.Integer(), 'Milliseconds since the oldest pending task was due; null without one.')
const rate = Type.Number({ minimum: 0 })
const queueStats = {
  counts: ref('Counts'),
  oldestPendingAgeMs: age,
  workers: count('Live workers of the queue.'),
  slots: count('Tasks that they run at once.'),
  submittedPerSecond: rate,
  endedPerSecond: Type.Number({ description: 'Completed or failed, over the last minute or two.' }),
  drainsInMs: orNull(
    Type.Integer(),
    'Until nothing is pending if it goes on like this; null when nothing is, or it does not get less.',
  ),
}
const stats = Type.Object(
  {
    total: Type.Integer(),
    counts: ref('Counts'),
    queues: Type.Array(
      Type.Object({
        queue: Type.String(),
        ...queueStats,
      }),
    ),
    types: Type.Array(
      Type.Object({
        type: Type.String(),
        counts: ref('Counts'),
        served: Type.Boolean({ description: 'A live worker has a handler for it.' }),
      }),
    ),
    unserved: Type.Array(Type.String(), {
      description: 'Types with unfinished tasks for which no live worker has a handler.',
    }),
    rates: Type.Object({
      windowMs: Type.Integer({ description: 'The time over which the rates are taken.' }),
      submittedPerSecond: rate,
      completedPerSecond: rate,
      failedPerSecond: rate,
      canceledPerSecond: rate,
    }),
    oldestPendingAgeMs: age,
  },
  { $id: 'Stats' },
)

const worker = Type.Object(
  {
    id: Type.String(),
    host: Type.String(),
    pid: Type.Integer(),
    version: Type.String(),
    queues: Type.Array(Type.String()),
    types: Type.Array(Type.String()),
    concurrency: count('Tasks that it runs at once.'),
    running: count('Tasks that it runs now.'),
    startedAt: Type.String(instant),
    lastSeenAt: Type.String(instant),
  },
  { $id: 'Worker' },
)

const queue = Type.Object(
  {
    name: Type.String(),
    paused: Type.Boolean(),
    pausedAt: orNull(Type.String(instant), 'Since when it is paused.'),
    ...limitProperties,
    ...queueStats,
  },
  { $id: 'Queue' },
)

const readiness = Type.Object(
  {
    status: Type.Literal('ok'),
    checks: Type.Record(
      Type.String(),
      Type.Object({ ok: Type.Boolean(), detail: Type.Optional(Type.String()) }),
    ),
  },
  { $id: 'Readiness' },
)

const problemExample = {
  type: 'urn:millrace:problem:invalid-request',
  title: problems['invalid-request'].title,
  status: 422,
  detail: "#/payloda 'payloda' is not a known field; did you mean 'payload'?",
  code: 'invalid-request',
  errors: [{ pointer: '#/payloda', detail: "'payloda' is not a known field; did you mean 'payload'?" }],
}

const problem = Type.Object(
  {
    type: Type.String({
      description: 'The name of the problem, `urn:millrace:problem:` and its code. It cannot be looked up.',
    }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.Enum(Object.keys(problems)),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.Optional(Type.String({ description: 'JSON pointer into the body.' })),
          parameter: Type.Optional(Type.String({ description: 'A query or path parameter.' })),
          header: Type.Optional(Type.String({ description: 'A header field.' })),
          detail: Type.String(),
        }),
        { description: 'Everything that is wrong, up to 50 entries.' },
      ),
    ),
    task: Type.Optional(ref('TaskDetail')),
  },
  {
    $id: 'Problem',
    description: 'RFC 9457. Every answer of 4xx and 5xx is one.',
    examples: [problemExample],
  },
)

/** What routes refer to by `ref`. */
export const sharedSchemas = [
  taskError,
  pastAttempt,
  progress,
  task,
  taskDetail,
  taskSummary,
  counts,
  stats,
  worker,
  queue,
  readiness,
  problem,
]

export function ref(name: string) {
  return Type.Unsafe<unknown>({ $ref: `${name}#` })
}

/** A successful answer of JSON. */
export function answer(description: string, schema: TSchema, headers?: Record<string, TSchema>) {
  const content = { 'application/json': { schema } }
  return headers ? { description, content, headers } : { description, content }
}

/** The problem answers of a route, by status. Those that every route has are added. */
export function problemAnswers(...codes: ProblemCode[]) {
  const answers: Record<number, { description: string; content: object; headers?: Record<string, TSchema> }> =
    {}
  for (const code of [...codes, 'unauthorized', 'forbidden', 'internal-error'] satisfies ProblemCode[]) {
    const { status, title } = problems[code]
    const known = answers[status]
    const description = known ? `${known.description} ${sentence(code, title)}` : sentence(code, title)
    answers[status] = { description, content: { [problemType]: { schema: ref('Problem') } } }
    if (status === 503) answers[status].headers = { 'Retry-After': Type.String({ description: 'Seconds.' }) }
    if (status === 401) answers[status].headers = { 'WWW-Authenticate': Type.String() }
  }
  return answers
}

function sentence(code: ProblemCode, title: string) {
  return `\`${code}\`: ${title}.`
}
