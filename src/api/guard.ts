import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Caller, permits } from '../domain/access.ts'
import { type Callers, type Calling, unauthorized } from './callers.ts'
import type { Closing } from './closing.ts'
import { crossOriginProblem, unknownHostProblem } from './origin.ts'
import { Problem } from './problem.ts'
import type { Need } from './scopes.ts'
import { sendProblem } from './send-problem.ts'
import { unroutedReply } from './unrouted.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who has shown a key or a session; null is nobody. */
    caller: Caller | null
  }
}

/** What every answer says: it is what it says it is, and is not kept. */
const headersForAll = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }

/**
 * What browsers are told besides: nothing in the answer runs or loads, no frame shows it, and no other site may have it.
 * Programs would only read past it, which costs both sides more than it seems. Pages that are meant for browsers say
 * something else.
 */
const headersForBrowsers = {
  ...headersForAll,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
}

/** Every browser says that it is something like Mozilla, and whoever says so is treated like one. */
const isFromBrowser = ({ headers }: FastifyRequest) =>
  headers['user-agent']?.startsWith('Mozilla/') ||
  headers['sec-fetch-site'] !== undefined ||
  headers.origin !== undefined

/**
 * Decides before a body is read whether a request gets to its route: not while the server closes, not from a page of
 * another site, not without a key that is good for it where keys are set, not when there is no route.
 */
export function guard(app: FastifyInstance, closing: Closing, callers: Callers) {
  const answerUnrouted = unroutedReply(app)
  app.decorateRequest('caller', null)

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(isFromBrowser(request) ? headersForBrowsers : headersForAll)
    const need = request.routeOptions.config.need ?? 'any key'
    const problem = refusal(request, need)
    if (problem) return void sendProblem(reply, problem)
    const calling = need === 'nothing' ? undefined : callers.of(request)
    if (calling instanceof Promise) calling.then((who) => admit(who, need, { request, reply, done }), done)
    else admit(calling, need, { request, reply, done })
  })

  function refusal(request: FastifyRequest, need: Need): Problem | undefined {
    if (closing.hasBegun()) return new Problem('shutting-down', 'ask again in a moment')
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      return new Problem('bad-request', 'the header Host is missing')
    const isOfNoInterest = callers.areWanted || need === 'nothing'
    return crossOriginProblem(request) ?? (isOfNoInterest ? undefined : unknownHostProblem(request))
  }

  function admit(calling: Calling, need: Need, { request, reply, done }: Admission) {
    const problem = verdict(calling, need, request)
    if (problem) return void sendProblem(reply, problem)
    if (calling && !(calling instanceof Problem)) request.caller = calling
    if (request.is404) answerUnrouted(request, reply)
    else done()
  }

  function verdict(calling: Calling, need: Need, { method, headers, routeOptions }: FastifyRequest) {
    if (calling instanceof Problem) return callers.areWanted ? calling : undefined
    if (need === 'nothing' || need === 'a key if any') return undefined
    if (calling === undefined) return callers.areWanted ? nobody(headers.cookie) : undefined
    if (need === 'any key' || permits(calling.scopes, need)) return undefined
    const detail = `${method} ${routeOptions.url} takes the scope ${need}, and the key "${calling.name}" has ${calling.scopes.join(', ')}`
    return new Problem('forbidden', detail)
  }
}

type Admission = { request: FastifyRequest; reply: FastifyReply; done: (error?: Error) => void }

function nobody(cookie: string | undefined): Problem {
  return unauthorized(
    cookie === undefined
      ? 'send Authorization: Bearer KEY'
      : 'there is no session, or it has ended: send Authorization: Bearer KEY, or sign in again',
  )
}
