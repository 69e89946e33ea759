import type { FastifyRequest } from 'fastify'

const name = 'millrace_session'
const inCookies = new RegExp(`(?:^|; *)${name}=([A-Za-z0-9_-]{43})(?:;|$)`)

/** The token among the cookies of a request. */
export function sessionIn(cookies: string): string | undefined {
  return inCookies.exec(cookies)?.[1]
}

/**
 * A cookie that no script can read and that no other site's page can have sent. Over TLS it goes nowhere else; a proxy that
 * ends TLS does not change what the browser says of its page.
 */
export function sessionCookie(request: FastifyRequest, token: string, lastsMs: number): string {
  const isSecure = request.protocol === 'https' || request.headers.origin?.startsWith('https:') === true
  const age = Math.floor(lastsMs / 1000)
  return `${name}=${token}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** Makes the browser forget it. */
export function noSessionCookie(request: FastifyRequest): string {
  return sessionCookie(request, '', 0)
}
