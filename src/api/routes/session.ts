import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type Caller, scopes } from '../../domain/access.ts'
import type { UseCases } from '../../usecases/index.ts'
import { sessionMs } from '../../usecases/sessions.ts'
import { refuseBody } from '../body.ts'
import { type Fields, readBody, schemaOf } from '../body-fields.ts'
import { type Callers, unauthorized } from '../callers.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers } from '../schemas.ts'
import { needsNothing, takesAnyKey } from '../scopes.ts'
import { noSessionCookie, sessionCookie, sessionIn } from '../session-cookie.ts'

type Deps = {
  useCases: Pick<UseCases, 'openSession' | 'closeSession'>
  callers: Callers
  version: string
}

/** Who one is, and signing in from a browser, which keeps no key. */
export function sessionRoutes(app: FastifyInstance, { useCases, callers, version }: Deps) {
  const whoIs = (caller: Caller | null) => ({
    key: caller && { name: caller.name, scopes: caller.scopes },
    authRequired: callers.areWanted,
    version,
  })

  app.get('/whoami', { schema: whoSchema }, async (request) => {
    refuseQuery(request.query)
    return whoIs(request.caller)
  })

  app.post('/session', { schema: signInSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const { values } = readBody(request.body, fields)
    const known = await callers.ofKey(values.key.trim())
    if (!known) throw unauthorized('the API key is not a known one, or it has been revoked or has expired')
    const token = await useCases.openSession(known.owner)
    reply.header('set-cookie', sessionCookie(request, token, sessionMs))
    return whoIs(known.caller)
  })

  app.delete('/session', { schema: signOutSchema }, async (request, reply) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    const token = tokenOf(request)
    if (token !== undefined) await useCases.closeSession(token)
    return reply.header('set-cookie', noSessionCookie(request)).code(204).send()
  })
}

function tokenOf({ headers: { cookie } }: FastifyRequest): string | undefined {
  return cookie === undefined ? undefined : sessionIn(cookie)
}

const fields = {
  key: {
    schema: Type.String({ minLength: 1, maxLength: 4_096, description: 'An API key.' }),
    rule: 'must be a string of 1 to 4096 characters',
    required: true,
  },
} satisfies Fields

const tags = ['Keys']

const who = Type.Object({
  key: Type.Union([
    Type.Null(),
    Type.Object({ name: Type.String(), scopes: Type.Array(Type.Enum([...scopes])) }),
  ]),
  authRequired: Type.Boolean({
    description: 'Whether this server wants keys. Without, everybody may do everything.',
  }),
  version: Type.String(),
})

const whoSchema = {
  operationId: 'whoAmI',
  summary: 'Who one is to this server, and what one may do',
  description: '`key` is null for whoever shows no key, or a session that has ended.',
  tags,
  security: takesAnyKey,
  response: {
    200: answer('Who one is.', who),
    ...problemAnswers('invalid-request', 'store-unavailable', 'shutting-down'),
  },
}

const signInSchema = {
  operationId: 'signIn',
  summary: 'Sign in from a browser',
  description:
    'Sets a cookie that scripts cannot read and that other sites cannot use, for 12 hours. It holds no key. It is good for what the key is good for, and ends with it.',
  tags,
  security: needsNothing,
  body: schemaOf(fields),
  response: {
    200: {
      ...answer('Who one is from now on.', who),
      headers: { 'Set-Cookie': Type.String({ description: 'The session.' }) },
    },
    ...problemAnswers(
      ...([
        'empty-body',
        'malformed-json',
        'cross-origin',
        'body-too-large',
        'unsupported-media-type',
      ] as const),
      ...(['invalid-request', 'store-unavailable', 'shutting-down'] as const),
    ),
  },
}

const signOutSchema = {
  operationId: 'signOut',
  summary: 'End the session of this browser',
  description:
    'The cookie is good for nothing any more, whoever has a copy of it. No error without a session.',
  tags,
  security: needsNothing,
  response: {
    204: { description: 'There is no session.' },
    ...problemAnswers('cross-origin', 'invalid-request', 'store-unavailable', 'shutting-down'),
  },
}
