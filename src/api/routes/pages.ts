import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { dashboard } from '../dashboard.ts'
import { docsServer } from '../docs-server.ts'
import { frontPage } from '../front-page.ts'
import { Problem } from '../problem.ts'
import { needs, needsNothing } from '../scopes.ts'

const open = { schema: { hide: true, security: needsNothing } }
const forCallers = { schema: { hide: true, security: needs() } }
const frontPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/** What people open in a browser, and the OpenAPI document. */
export function pageRoutes(app: FastifyInstance, dashboardFolder?: string) {
  let openApi: string | undefined
  app.get('/openapi.json', forCallers, async (_request, reply) => {
    openApi ??= JSON.stringify(app.swagger())
    return reply.type('application/json').send(openApi)
  })

  for (const url of ['/', '/dashboard'])
    app.get(url, open, async (_request, reply) => reply.redirect('/dashboard/'))
  dashboardRoutes(app, dashboardFolder)

  // Browsers ask for one whatever a page says.
  app.get('/favicon.ico', open, async (_request, reply) => reply.code(204).send())

  docsRoutes(app)
}

function dashboardRoutes(app: FastifyInstance, folder: string | undefined) {
  const built = folder === undefined ? undefined : dashboard(folder)
  app.get<{ Params: { '*': string } }>('/dashboard/*', open, (request, reply) => {
    const path = request.params['*']
    if (built?.answer(path, request, reply)) return
    if (path.startsWith('assets/'))
      throw new Problem('route-not-found', 'there is no such file; open /dashboard/ again')
    reply
      .header('content-security-policy', frontPolicy)
      .type('text/html; charset=utf-8')
      .send(frontPage(`${request.protocol}://${request.host}`))
  })
}

function docsRoutes(app: FastifyInstance) {
  let docs: Promise<FastifyInstance> | undefined
  app.addHook('onClose', async () => (await docs)?.close())

  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    docs ??= docsServer()
    const { routing } = await docs
    reply.hijack()
    routing(request.raw, reply.raw)
  }
  for (const url of ['/docs', '/docs/', '/docs/js/scalar.js']) app.get(url, forCallers, answer)
}
