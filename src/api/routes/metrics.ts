import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Metric } from '../../domain/metric.ts'
import type { UseCases } from '../../usecases/index.ts'
import { prometheusText, prometheusType } from '../prometheus-text.ts'
import { refuseQuery } from '../query.ts'
import { problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'

type Measured = { useCases: Pick<UseCases, 'readMetrics'>; requestTimes: () => Metric }

/** GET /metrics, for Prometheus. */
export function metricsRoutes(app: FastifyInstance, { useCases, requestTimes }: Measured) {
  app.get('/metrics', { schema }, async (request, reply) => {
    refuseQuery(request.query)
    const metrics = await useCases.readMetrics()
    return reply.type(prometheusType).send(prometheusText([...metrics, requestTimes()]))
  })
}

const schema = {
  operationId: 'readMetrics',
  security: needs('read'),
  summary: 'Metrics, in the text format of Prometheus',
  description:
    'Of the installation, the same from every api process, and of the process that answers. While the database is away it has only the latter, and `millrace_database_up` is 0.',
  tags: ['System'],
  response: {
    200: {
      description: 'The metrics.',
      content: { 'text/plain': { schema: Type.String() } },
    },
    ...problemAnswers('invalid-request', 'shutting-down'),
  },
}
