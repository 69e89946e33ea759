import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

const longestAgeSeconds = 300

/**
 * Whether a delivery is signed with the secret, and now: an old one that somebody has recorded is refused. `body` is the
 * text as it came, before anything has parsed it.
 */
export function isSigned(headers: IncomingHttpHeaders, body: string, secret: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures } = headers
  if (!(Math.abs(Date.now() / 1000 - Number(seconds)) < longestAgeSeconds)) return false
  const expected = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest()
  return String(signatures)
    .split(' ')
    .map((signature) => Buffer.from(signature.replace(/^v1,/, ''), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected))
}
