import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { nearestName } from './nearest-name.ts'
import { Problem } from './problem.ts'
import { sendProblem } from './send-problem.ts'

/** Answers what no route takes: other methods of a known address, and addresses that are not known. */
export function unroutedReply(app: FastifyInstance) {
  const methodsByPath = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByPath.get(url) ?? new Set()
    methodsByPath.set(url, methods)
    for (const one of [method].flat()) methods.add(one)
  })

  return ({ method, url }: FastifyRequest, reply: FastifyReply) => {
    const path = url.split('?', 1)[0]!
    const routes = [...methodsByPath].filter(([pattern]) => matches(pattern, path))
    const allow = [...new Set(['OPTIONS', ...routes.flatMap(([, methods]) => [...methods])])]
      .sort()
      .join(', ')
    const isKnown = routes.length > 0 || path === '*'
    if (!isKnown) sendProblem(reply, unknownAddress(path, [...methodsByPath.keys()]))
    else if (method === 'OPTIONS') reply.code(204).header('allow', allow).send()
    else sendProblem(reply, wrongMethod(method, allow))
  }
}

/** The 404 of an address, with a hint at the address that was meant. */
function unknownAddress(path: string, known: readonly string[]): Problem {
  const near = path.length > 2 ? nearestName(path, known) : undefined
  return new Problem(
    'route-not-found',
    near === undefined ? 'GET /openapi.json lists what there is' : `did you mean ${near}?`,
  )
}

function wrongMethod(method: string, allow: string): Problem {
  return new Problem('method-not-allowed', `${method} does not work here; use ${allow}`, {
    headers: { allow },
  })
}

function matches(pattern: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = pattern.split('/')
  if (wanted.at(-1) === '*') return path.startsWith(pattern.slice(0, -1))
  return (
    parts.length === wanted.length &&
    wanted.every((part, i) => (part.startsWith(':') ? parts[i] !== '' : part === parts[i]))
  )
}
