import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { nearestName } from './nearest-name.ts'
import { Problem } from './problem.ts'
import { sendProblem } from './send-problem.ts'

/** Addresses that load balancers and orchestrators ask, which have no keys. */
const open = new Set(['/healthz', '/readyz'])

/**
 * Decides before a body is read whether a request is answered at all: not while the server closes, not without a
 * key where keys are set, not at addresses and methods that do not exist.
 */
export function guard(app: FastifyInstance, apiKeys: readonly string[]) {
  const isKey = keyCheck(apiKeys)
  const methods = methodsByPath(app)
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    done()
  })

  const refusal = (request: FastifyRequest) => {
    if (closing) return new Problem('shutting-down', 'ask again in a moment')
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      return new Problem('bad-request', 'the header Host is missing')
    if (
      apiKeys.length > 0 &&
      !open.has(request.routeOptions.url ?? '') &&
      !isKey(request.headers.authorization)
    )
      return unauthorized(request.headers.authorization)
    return undefined
  }

  app.addHook('onRequest', (request, reply, done) => {
    const problem = refusal(request)
    if (problem) sendProblem(reply, problem)
    else if (request.is404) answerUnrouted(request, reply, methods)
    else done()
  })
}

/** Compares digests, which are of one length, so that the time tells nothing about a key. */
function keyCheck(apiKeys: readonly string[]) {
  const digests = apiKeys.map((key) => hash('sha256', key, 'buffer'))
  return (authorization: string | undefined): boolean => {
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

function methodsByPath(app: FastifyInstance): Map<string, Set<string>> {
  const byPath = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = byPath.get(url) ?? new Set()
    byPath.set(url, methods)
    for (const one of [method].flat()) methods.add(one)
  })
  return byPath
}

/** For what no route takes: other methods of a known address, and addresses that are not known. */
function answerUnrouted(
  { method, url }: FastifyRequest,
  reply: FastifyReply,
  methods: Map<string, Set<string>>,
) {
  const path = url.split('?', 1)[0]!
  const allowed = [...methods].filter(([pattern]) => matches(pattern, path)).flatMap(([, set]) => [...set])
  const allow = [...new Set([...allowed, 'OPTIONS'])].sort().join(', ')
  if (allowed.length === 0)
    sendProblem(reply, new Problem('route-not-found', hint(path, [...methods.keys()])))
  else {
    const detail = `${method} does not work here; use ${allow}`
    sendProblem(reply, new Problem('method-not-allowed', detail, { headers: { allow } }))
  }
}

function hint(path: string, known: readonly string[]): string {
  const near = path.length > 2 ? nearestName(path, known) : undefined
  return near === undefined ? 'GET /openapi.json lists what there is' : `did you mean ${near}?`
}

function matches(pattern: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = pattern.split('/')
  return (
    parts.length === wanted.length &&
    wanted.every((part, i) => (part.startsWith(':') ? parts[i] !== '' : part === parts[i]))
  )
}
