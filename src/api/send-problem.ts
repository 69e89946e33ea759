import type { FastifyReply } from 'fastify'
import { type Problem, problemText, problemType } from './problem.ts'

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, problem: Problem) {
  return reply.code(problem.status).headers(problem.headers).type(problemType).send(problemText(problem))
}
