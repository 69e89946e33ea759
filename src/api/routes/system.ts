import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Readiness, UseCases } from '../../usecases/index.ts'
import { Problem } from '../problem.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers, ref } from '../schemas.ts'
import { needs, needsNothing } from '../scopes.ts'

type Looking = { useCases: Pick<UseCases, 'readStats' | 'listWorkers' | 'checkReadiness'>; version: string }

/** How the system is: counts, workers and the health checks. */
export function systemRoutes(app: FastifyInstance, { useCases, version }: Looking) {
  app.get('/stats', { schema: statsSchema }, async (request) => {
    refuseQuery(request.query)
    return useCases.readStats()
  })
  app.get('/workers', { schema: workersSchema }, async (request) => {
    refuseQuery(request.query)
    return useCases.listWorkers()
  })
  app.get('/healthz', { schema: healthSchema }, async () => ({ status: 'ok', version }))
  app.get('/readyz', { schema: readySchema }, async () => {
    const readiness = await useCases.checkReadiness()
    if (!readiness.ok) throw notReady(readiness)
    return { status: 'ok', checks: checksOf(readiness) }
  })
}

function checksOf({ checks }: Readiness) {
  return Object.fromEntries(checks.map(({ name, ...check }) => [name, check]))
}

function notReady(readiness: Readiness): Problem {
  const failing = readiness.checks.filter((check) => !check.ok)
  const detail = failing.map(({ name, detail = 'failed' }) => `${name}: ${detail}`).join('; ')
  return new Problem('not-ready', detail, { members: { checks: JSON.stringify(checksOf(readiness)) } })
}

const tags = ['System']

const statsSchema = {
  operationId: 'readStats',
  security: needs('read'),
  summary: 'Exact counts, rates and ages',
  description: 'As quick with a hundred million tasks as with a hundred.',
  tags,
  response: {
    200: answer('How things stand.', ref('Stats')),
    ...problemAnswers('invalid-request', 'store-unavailable', 'shutting-down'),
  },
}

const workersSchema = {
  operationId: 'listWorkers',
  security: needs('read'),
  summary: 'The workers that live',
  tags,
  response: {
    200: answer('The workers.', Type.Array(ref('Worker'))),
    ...problemAnswers('invalid-request', 'store-unavailable', 'shutting-down'),
  },
}

const healthSchema = {
  operationId: 'checkHealth',
  summary: 'Whether this process answers',
  description: 'Asks nobody else, and needs no key.',
  tags,
  security: needsNothing,
  response: {
    200: answer('It does.', Type.Object({ status: Type.Literal('ok'), version: Type.String() })),
    ...problemAnswers('shutting-down'),
  },
}

const readySchema = {
  operationId: 'checkReadiness',
  summary: 'Whether this process can do its work',
  description: 'Names each check, and needs no key.',
  tags,
  security: needsNothing,
  response: {
    200: answer('It can.', ref('Readiness')),
    ...problemAnswers('not-ready', 'store-unavailable', 'shutting-down'),
  },
}
