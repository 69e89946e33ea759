import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Closing } from './closing.ts'
import { Problem } from './problem.ts'
import { sendProblem } from './send-problem.ts'
import { unroutedReply } from './unrouted.ts'

/**
 * Addresses that load balancers and orchestrators ask, which have no keys, and the dashboard's files, which tell nothing:
 * what the page shows it asks for with the key that it was given.
 */
const open = new Set(['/healthz', '/readyz', '/', '/dashboard', '/dashboard/*', '/favicon.ico'])

/**
 * Decides before a body is read whether a request gets to its route: not while the server closes, not without a
 * key where keys are set, not when there is no route.
 */
export function guard(app: FastifyInstance, closing: Closing, apiKeys: readonly string[]) {
  const isAllowed = keyCheck(apiKeys)
  const answerUnrouted = unroutedReply(app)

  const refusal = (request: FastifyRequest) => {
    const { host, authorization } = request.headers
    if (closing.hasBegun()) return new Problem('shutting-down', 'ask again in a moment')
    if (host === undefined && request.raw.httpVersion === '1.1')
      return new Problem('bad-request', 'the header Host is missing')
    if (isAllowed(authorization) || open.has(request.routeOptions.url ?? '')) return undefined
    return unauthorized(authorization)
  }

  app.addHook('onRequest', (request, reply, done) => {
    const problem = refusal(request)
    if (problem) sendProblem(reply, problem)
    else if (request.is404) answerUnrouted(request, reply)
    else done()
  })
}

/** Compares digests, which are of one length, so that the time tells nothing about a key. */
function keyCheck(apiKeys: readonly string[]): (authorization: string | undefined) => boolean {
  if (apiKeys.length === 0) return () => true
  const digests = apiKeys.map((key) => hash('sha256', key, 'buffer'))
  return (authorization) => {
    const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (key === undefined) return false
    const digest = hash('sha256', key, 'buffer')
    let found = false
    for (const known of digests) found = timingSafeEqual(known, digest) || found
    return found
  }
}

function unauthorized(authorization: string | undefined): Problem {
  const detail =
    authorization === undefined ? 'send Authorization: Bearer KEY' : 'the API key is not a known one'
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': 'Bearer' } })
}
