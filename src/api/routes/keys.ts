import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type ApiKey, scopes } from '../../domain/access.ts'
import type { UseCases } from '../../usecases/index.ts'
import { refuseBody } from '../body.ts'
import { type Fields, readBody, schemaOf } from '../body-fields.ts'
import { refuseQuery } from '../query.ts'
import { answer, problemAnswers } from '../schemas.ts'
import { needs } from '../scopes.ts'

/** Keys that are made and revoked while everything runs. */
export function keyRoutes(
  app: FastifyInstance,
  useCases: Pick<UseCases, 'listKeys' | 'createKey' | 'revokeKey'>,
) {
  app.get('/keys', { schema: listSchema }, async (request) => {
    refuseQuery(request.query)
    const data: ApiKey[] = await useCases.listKeys()
    return { data, page: { next: null, prev: null } }
  })

  app.post('/keys', { schema: createSchema }, async (request, reply) => {
    refuseQuery(request.query)
    const { name, scopes, expiresInMs = null } = readBody(request.body, fields).values
    const made = await useCases.createKey({ name, scopes, expiresInMs })
    return reply.code(201).header('location', `/keys/${made.id}`).send(made)
  })

  app.delete<{ Params: { id: string } }>('/keys/:id', { schema: revokeSchema }, async (request) => {
    refuseQuery(request.query)
    refuseBody(request.body)
    return useCases.revokeKey(request.params.id)
  })
}

/** Ten years. */
const longestMs = 10 * 365.25 * 86_400_000

const fields = {
  name: {
    schema: Type.String({ pattern: '^[^\\p{C}]{1,128}$', description: 'Who or what it is for.' }),
    rule: 'must be 1 to 128 characters without control characters',
    required: true,
  },
  scopes: {
    schema: Type.Array(Type.Enum([...scopes]), {
      minItems: 1,
      uniqueItems: true,
      description: 'What it is good for; `admin` includes the others.',
    }),
    rule: `must be a list of some of ${scopes.join(', ')}, each once`,
    required: true,
  },
  expiresInMs: {
    schema: Type.Integer({
      minimum: 1_000,
      maximum: longestMs,
      description: 'Without, it lasts until it is revoked.',
    }),
    rule: `must be a whole number from 1000 to ${longestMs}`,
  },
} satisfies Fields

const orNull = { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] }

const keyProperties = {
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.Enum([...scopes])),
  createdAt: Type.String({ format: 'date-time' }),
  expiresAt: Type.Unsafe<string | null>(orNull),
  lastUsedAt: Type.Unsafe<string | null>({ ...orNull, description: 'To a minute.' }),
  revokedAt: Type.Unsafe<string | null>(orNull),
}

export const keySchema = Type.Object(keyProperties, {
  $id: 'ApiKey',
  description: 'A key that was made here. The secret itself is kept nowhere.',
})

const tags = ['Keys']
const problems = ['invalid-request', 'store-unavailable', 'shutting-down'] as const

const listSchema = {
  operationId: 'listKeys',
  summary: 'The keys that were made here',
  description:
    'Newest first, revoked ones after those that can be used. Those of `API_KEYS` are not among them.',
  tags,
  security: needs('admin'),
  response: {
    200: answer(
      'The keys.',
      Type.Object({
        data: Type.Array(Type.Ref('ApiKey')),
        page: Type.Object({ next: Type.Null(), prev: Type.Null() }),
      }),
    ),
    ...problemAnswers(...problems),
  },
}

const createSchema = {
  operationId: 'createKey',
  summary: 'Make a key',
  description: 'The answer is the only place where the key itself is ever shown: of it, a SHA-256 is kept.',
  tags,
  security: needs('admin'),
  body: schemaOf(fields),
  response: {
    201: {
      ...answer(
        'The key.',
        Type.Object({ ...keyProperties, key: Type.String({ description: 'The secret, for this once.' }) }),
      ),
      headers: { Location: Type.String() },
    },
    ...problemAnswers(
      ...(['empty-body', 'malformed-json', 'body-too-large', 'unsupported-media-type'] as const),
      ...problems,
    ),
  },
}

const revokeSchema = {
  operationId: 'revokeKey',
  summary: 'Revoke a key',
  description:
    'Within seconds no api process takes it or a session that was opened with it. Revoking twice is no error.',
  tags,
  security: needs('admin'),
  params: Type.Object({ id: Type.String() }),
  response: {
    200: answer('The key, revoked.', Type.Ref('ApiKey')),
    ...problemAnswers('key-not-found', ...problems),
  },
}
