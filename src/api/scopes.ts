import type { FastifyInstance, RouteOptions } from 'fastify'
import { type Scope, scopes } from '../domain/access.ts'

/** What a route takes: a scope, any key at all, a key if there is one, or nothing. */
export type Need = Scope | 'any key' | 'a key if any' | 'nothing'

declare module 'fastify' {
  interface FastifyContextConfig {
    need?: Need
  }
}

/** The `security` of a route's schema: the key that it takes, where keys are wanted. */
export function needs(scope?: Scope) {
  const roles = scope === undefined ? [] : [scope]
  return [{}, { apiKey: roles }, { session: roles }]
}

/** The `security` of a route that wants no key. */
export const needsNothing: [] = []

/** The `security` of a route that wants no key and tells whose it is. */
export const takesAnyKey = [{}]

/** Reads from each route's schema what it takes. A route that does not say is a mistake, and the API does not start. */
export function readNeeds(app: FastifyInstance) {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, need: needOf(route) }
  })
}

function needOf({ schema, method, url }: RouteOptions): Need {
  const security = schema?.security
  if (!security)
    throw new Error(`${method} ${url} does not say who may call it: add security: needs(SCOPE) to its schema`)
  if (security.length === 0) return 'nothing'
  if (security.length === 1) return 'a key if any'
  const [role] = security.flatMap(({ apiKey = [] }) => apiKey)
  if (role === undefined) return 'any key'
  const scope = scopes.find((scope) => scope === role)
  if (!scope) throw new Error(`${method} ${url} takes the scope ${role}, which there is not`)
  return scope
}
