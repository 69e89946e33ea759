import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { StoreRefusedError, StoreUnavailableError, TaskError } from '../domain/errors.ts'
import { type Fault, Problem, type ProblemCode } from './problem.ts'
import { sendProblem } from './send-problem.ts'
import { taskDetailJson } from './task-json.ts'

/** Turns whatever was thrown into its answer. What nobody expected is logged, and its text stays here. */
export function errorReply(log: FastifyBaseLogger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(error) ?? unexpected(request)
    if (problem.code === 'internal-error') {
      log.error(
        { err: error, requestId: request.id, method: request.method, url: request.url },
        'request failed',
      )
    } else if (problem.code === 'value-not-storable') log.warn({ err: error }, 'the database refused a value')
    // Fastify would close the connection after a refused body. A client that is still sending would see a reset in
    // place of this answer; left alone, Node reads the rest and drops it.
    reply.removeHeader('connection')
    return sendProblem(reply, problem)
  }
}

function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (error instanceof TaskError) return taskProblem(error)
  if (error instanceof StoreUnavailableError)
    return new Problem('store-unavailable', 'the database cannot be reached now; try again', { cause: error })
  if (error instanceof StoreRefusedError)
    return new Problem('value-not-storable', 'the database refused a value of this request', { cause: error })
  return frameworkProblem(error)
}

function taskProblem({ code, message, task, index }: TaskError): Problem {
  const members = task ? { task: taskDetailJson(task) } : {}
  const errors: Fault[] =
    index === undefined ? [] : [{ pointer: `#/tasks/${index}/idempotencyKey`, detail: message }]
  return new Problem(code, message, { members, errors })
}

const frameworkCodes: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', 'the body is larger than this address takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'send Content-Type: application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad-request', 'the body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: ['bad-url', 'the path has a percent sign that does not begin an escaped UTF-8 character'],
  FST_ERR_MAX_PARAM_LENGTH: ['uri-too-long', 'a part of the path is too long'],
}

function frameworkProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined
  const known = 'code' in error && typeof error.code === 'string' ? frameworkCodes[error.code] : undefined
  if (known) return new Problem(known[0], known[1])
  const isClients = 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500
  return isClients ? new Problem('bad-request', 'the request did not arrive whole') : undefined
}

function unexpected(request: FastifyRequest): Problem {
  return new Problem('internal-error', `unexpected; the log of this server has it as ${request.id}`)
}
