import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { UseCases } from '../usecases/index.ts'
import { acceptJsonText } from './body.ts'
import { boundBodies } from './body-budget.ts'
import { callersOf } from './callers.ts'
import { watchClosing } from './closing.ts'
import { errorReply } from './error-reply.ts'
import { guard } from './guard.ts'
import { timeRequests } from './http-times.ts'
import { openApiInfo } from './openapi.ts'
import { answerOddRequests, clientErrorReply } from './raw-errors.ts'
import { batchRoutes, batchSchema } from './routes/batches.ts'
import { bulkActionRoutes, bulkActionSchema } from './routes/bulk-actions.ts'
import { errorRoutes } from './routes/errors.ts'
import { eventRoutes } from './routes/events.ts'
import { explainRoutes } from './routes/explain.ts'
import { historyRoutes } from './routes/history.ts'
import { importRoutes } from './routes/import.ts'
import { keyRoutes, keySchema } from './routes/keys.ts'
import { liveRoutes } from './routes/live.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { pageRoutes } from './routes/pages.ts'
import { queueRoutes } from './routes/queues.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { sessionRoutes } from './routes/session.ts'
import { submitRoutes } from './routes/submit.ts'
import { systemRoutes } from './routes/system.ts'
import { systemStateRoutes } from './routes/system-state.ts'
import { taskEventRoutes } from './routes/task-events.ts'
import { taskRoutes } from './routes/tasks.ts'
import { workerRoutes } from './routes/workers.ts'
import { scheduleSchemas } from './schedule-schemas.ts'
import { sharedSchemas } from './schemas.ts'
import { readNeeds } from './scopes.ts'
import { sequelSchema, submissionSchema } from './submission-schema.ts'

export type ApiDeps = {
  useCases: UseCases
  apiKeys: readonly string[]
  log: Logger
  version: string
  /** The folder of the built dashboard; it may be missing. */
  dashboardFolder?: string
}

/** Time for a whole request to arrive. */
const requestTimeoutMs = 60_000
const headersTimeoutMs = 15_000
/** Longer than the minute that load balancers usually keep a connection, so that it is they who close it. */
const keepAliveTimeoutMs = 72_000
const mostConnections = 20_000

/**
 * The HTTP API, ready to `listen` or `inject`. Closing it lets requests in hand end, ends waits early and answers
 * new requests with 503.
 */
export async function buildApi(deps: ApiDeps): Promise<FastifyInstance> {
  const { useCases, apiKeys, log, version, dashboardFolder } = deps
  const onError = errorReply(log)
  const app = fastify({
    // A log line for each request costs half of what a submission does. Errors are logged where they are answered.
    logger: false,
    bodyLimit: 16 * 1024,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: onError,
    clientErrorHandler: clientErrorReply,
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: 5_000,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 1_000 },
  })
  app.server.maxConnections = mostConnections
  answerOddRequests(app.server)
  app.setErrorHandler(onError)
  // Requests are read by hand, so that payloads stay text and every fault is told; answers are made by hand too.
  // The schemas of the routes are what the OpenAPI document is made of.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => JSON.stringify)
  acceptJsonText(app)
  boundBodies(app)
  const closing = watchClosing(app)
  const callers = callersOf(apiKeys, useCases)
  readNeeds(app)
  const requestTimes = timeRequests(app)
  guard(app, closing, callers)
  const own = [
    submissionSchema,
    sequelSchema,
    batchSchema,
    bulkActionSchema,
    ...scheduleSchemas,
    keySchema,
    ...sharedSchemas,
  ]
  for (const schema of own) app.addSchema(schema)
  await app.register(swagger, openApiInfo(version))
  submitRoutes(app, useCases, closing)
  taskRoutes(app, useCases, closing)
  explainRoutes(app, useCases)
  taskEventRoutes(app, useCases, closing)
  eventRoutes(app, useCases, closing)
  liveRoutes(app, useCases, closing)
  historyRoutes(app, useCases)
  errorRoutes(app, useCases)
  batchRoutes(app, useCases, closing)
  bulkActionRoutes(app, useCases)
  await importRoutes(app, { useCases, closing, log })
  scheduleRoutes(app, useCases)
  queueRoutes(app, useCases)
  systemRoutes(app, { useCases, version })
  metricsRoutes(app, { useCases, requestTimes })
  systemStateRoutes(app, { useCases, version })
  workerRoutes(app, useCases, closing)
  sessionRoutes(app, { useCases, callers, version })
  keyRoutes(app, useCases)
  pageRoutes(app, dashboardFolder)
  return app
}
