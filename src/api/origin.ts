import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

const harmless = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Why a browser's request must not get through: a page of another site has sent it. Browsers tell by `Sec-Fetch-Site`,
 * and where the address is no secure one by `Origin`; whoever sends neither is no browser, and has no cookies or places in
 * a network that a page could make use of. Reading is not refused: browsers give the answer to no other site.
 */
export function crossOriginProblem({ method, headers }: FastifyRequest): Problem | undefined {
  if (harmless.has(method)) return undefined
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return undefined
  const { origin } = headers
  if (site === undefined && (origin === undefined || hostOf(origin) === headers.host)) return undefined
  return new Problem('cross-origin', 'a page of another origin has sent this; only pages of this server may')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

const localName = /^(?:[^.]*|(?:.*\.)?localhost\.?|\d{1,3}(?:\.\d{1,3}){3})$/i

/**
 * Why a request to a server that wants no keys must not get through: a page can have its own name point to this machine,
 * and then the browser takes this server for that page's. Such a name has a dot in it; addresses and those of this
 * machine are fine.
 */
export function unknownHostProblem({ headers: { host = '' } }: FastifyRequest): Problem | undefined {
  const name = host.replace(/:\d*$/, '')
  if (name.startsWith('[') || localName.test(name)) return undefined
  return new Problem(
    'unknown-host',
    'without API_KEYS this server answers to localhost and to addresses only; set API_KEYS, or have the proxy send Host: localhost',
  )
}
