import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'
import { frontPage } from '../front-page.ts'

const hidden = { schema: { hide: true } }

/** Whatever the pages would like to load, the browser takes it from here or not at all. */
const docsPolicy =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
const frontPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/** What people open in a browser, and the OpenAPI document. */
export async function pageRoutes(app: FastifyInstance) {
  let openApi: string | undefined
  app.get('/openapi.json', hidden, async (_request, reply) => {
    openApi ??= JSON.stringify(app.swagger())
    return reply.type('application/json').send(openApi)
  })
  app.get('/', hidden, async (_request, reply) => reply.redirect('/dashboard/'))
  app.get('/dashboard', hidden, async (_request, reply) => reply.redirect('/dashboard/'))
  app.get('/dashboard/', hidden, async (request, reply) =>
    reply
      .header('content-security-policy', frontPolicy)
      .type('text/html; charset=utf-8')
      .send(frontPage(`${request.protocol}://${request.host}`)),
  )
  await app.register(scalar, {
    routePrefix: '/docs',
    hooks: {
      onRequest: (_request, reply, done) => {
        reply.header('content-security-policy', docsPolicy)
        done()
      },
    },
    configuration: {
      url: '../openapi.json',
      pageTitle: 'Millrace API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      agent: { disabled: true },
    },
  })
}
