import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { callbackUrlRule, isCallbackUrl } from '../../domain/callback.ts'
import { TaskError } from '../../domain/errors.ts'
import { type AtEnd, limits, type Submission } from '../../domain/submission.ts'
import type { Import, UseCases } from '../../usecases/index.ts'
import { refuseEncoding } from '../body.ts'
import type { Closing } from '../closing.ts'
import { type Line, linesOf } from '../lines.ts'
import { lotsOf } from '../lots.ts'
import { invalid, Problem, problemText } from '../problem.ts'
import { openQuery, type Parameter } from '../query.ts'
import { mayTakeItsTime } from '../raw-errors.ts'
import { problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'
import { readLine } from '../submission.ts'
import { batchCallbackUrl } from '../submission-schema.ts'

type Importing = {
  useCases: Pick<UseCases, 'openImport'>
  closing: Closing
  log: { warn(fields: object, message: string): void }
}

const mediaType = 'application/x-ndjson'
/** A payload of the largest size, with what may be around it. */
const longestLine = limits.payloadBytes + 64 * 1024
const lotLines = 1_000
/** A line of so many characters counts for two: what is in hand stays within some megabytes. */
const charactersPerLine = 4_096
/** So many at once, since each takes some memory. */
const mostImports = 16
/** A client that neither sends nor reads for this long has gone. */
const idleMs = 300_000

/** POST /tasks/import: any number of tasks, a line each, answered line by line as they are stored. */
export async function importRoutes(app: FastifyInstance, { useCases, closing, log }: Importing) {
  let running = 0
  await app.register(async (scope) => {
    acceptLines(scope)
    scope.post('/tasks/import', { schema, config: { streamed: true } }, async (request, reply) => {
      const { body, atEnd } = openingOf(request)
      if (running >= mostImports)
        throw new Problem('too-many-imports', `${mostImports} imports are running here; try again later`)
      running++
      const idle = setTimeout(() => body.destroy(), idleMs)
      const done = mayTakeItsTime(request.raw.socket)
      reply.raw.once('close', () => {
        running--
        clearTimeout(idle)
        done()
      })
      const signal = closing.waitSignal(reply)
      const opened = await useCases.openImport(atEnd)
      const answers = answersTo(body, { ...opened, signal, log, onTraffic: () => idle.refresh() })
      return start(reply, opened.batchId, answers)
    })
  })
}

function acceptLines(scope: FastifyInstance) {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(mediaType, (request, body, done) => {
    try {
      refuseEncoding(request)
      done(null, body)
    } catch (error) {
      done(error instanceof Error ? error : new Error('not readable', { cause: error }))
    }
  })
  scope.addContentTypeParser('*', (_request, _body, done) => done(wrongType()))
}

const wrongType = () => new Problem('unsupported-media-type', `send Content-Type: ${mediaType}`)

function openingOf(request: FastifyRequest): { body: IncomingMessage; atEnd: Pick<AtEnd, 'callbackUrl'> } {
  const query = openQuery(request.query, ['callbackUrl'])
  const callbackUrl = query.take('callbackUrl', callbackParameter)
  query.close()
  if (request.headers['idempotency-key'] !== undefined) throw invalid([keyOfImport])
  if (!(request.body instanceof Readable)) throw wrongType()
  return { body: request.raw, atEnd: callbackUrl === undefined ? {} : { callbackUrl } }
}

const callbackParameter: Parameter<string> = {
  schema: batchCallbackUrl,
  read: (text) => (isCallbackUrl(text) ? text : undefined),
  rule: callbackUrlRule,
}

const keyOfImport = {
  header: 'Idempotency-Key',
  detail: 'belongs to a single task; give each line its own idempotencyKey',
}

/** The head goes out at once, so that the client knows the batch before its first line is stored. */
function start(reply: FastifyReply, batchId: string, answers: AsyncGenerator<string>) {
  reply
    .headers({ 'millrace-batch-id': batchId, 'x-accel-buffering': 'no' })
    .type(`${mediaType}; charset=utf-8`)
    .send(Readable.from(answers, { objectMode: false }))
  reply.raw.flushHeaders()
  return reply
}

type Answering = Import & { signal: AbortSignal; log: Importing['log']; onTraffic: () => void }

async function* answersTo(body: IncomingMessage, { batchId, add, close, signal, log, onTraffic }: Answering) {
  let done = 0
  try {
    for await (const lot of lotsOf(readLines(body, onTraffic), { lotSize: lotLines, sizeOf: lineSize })) {
      if (signal.aborted) throw new Error('the client has gone, or this server is shutting down')
      const submissions = lot.filter((line): line is Submission => !(line instanceof Problem))
      yield answersOf(lot, submissions.length > 0 ? await add(submissions) : [], done)
      onTraffic()
      done += lot.length
    }
  } catch (error) {
    log.warn(
      { batchId, lines: done, reason: error instanceof Error ? error.message : error },
      'an import broke off',
    )
    throw error
  } finally {
    await close().catch(() => {}) // the database is away: it is closed when it has been silent for a minute
  }
}

type Read = Submission | Problem

async function* readLines(body: IncomingMessage, onTraffic: () => void): AsyncGenerator<Read[]> {
  for await (const lines of linesOf(body, longestLine)) {
    onTraffic()
    yield lines.map(readOne)
  }
}

function readOne(line: Line): Read {
  return line instanceof Problem ? line : readLine(line)
}

function lineSize(read: Read): number {
  return read instanceof Problem ? 1 : 1 + Math.floor(read.payload.length / charactersPerLine)
}

/** A line for each line, in order: its id, or why it was refused. */
function answersOf(lot: readonly Read[], stored: readonly (string | TaskError)[], before: number): string {
  let text = ''
  let next = 0
  for (const [i, read] of lot.entries()) {
    const answer = read instanceof Problem ? read : stored[next++]!
    const line = before + i + 1
    text +=
      typeof answer === 'string'
        ? `{"line":${line},"id":"${answer}"}\n`
        : `{"line":${line},"error":${problemText(problemOf(answer))}}\n`
  }
  return text
}

function problemOf(answer: Problem | TaskError): Problem {
  return answer instanceof TaskError ? new Problem(answer.code, answer.message) : answer
}

const schema = {
  operationId: 'importTasks',
  security: needs('submit'),
  summary: 'Submit any number of tasks, a line each',
  description:
    'The body is NDJSON, a submission a line, without a limit. Each line is answered as it is stored, in order, with `{"line","id"}` or `{"line","error"}`; a bad one is skipped. Read the answer while you send: a client that does not is not read on either. All of it is one batch, which the header `Millrace-Batch-Id` names. What a broken connection leaves stored is a beginning of the lines; with idempotency keys they can be sent again.',
  tags: ['Submitting'],
  consumes: [mediaType],
  querystring: Type.Object({ callbackUrl: Type.Optional(callbackParameter.schema) }),
  body: { description: 'NDJSON: a submission a line.', ...Type.String() },
  response: {
    200: {
      description: 'A line for each line, as it is stored.',
      headers: { 'Millrace-Batch-Id': Type.String({ format: 'uuid' }) },
      content: { [mediaType]: { schema: Type.String() } },
    },
    ...problemAnswers(
      ...(['bad-request', 'unsupported-media-type', 'invalid-request', 'store-unavailable'] as const),
      ...(['too-many-imports', 'shutting-down'] as const),
    ),
  },
}
