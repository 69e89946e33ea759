import { createHmac } from 'node:crypto'
import { isCallbackUrl, webhookType } from '../domain/callback.ts'
import { NonRetryableError, RetryLaterError } from '../domain/errors.ts'
import { defineTask, type TaskDefinition } from './define-task.ts'
import { isPublicAddress } from './webhook-address.ts'
import { AddressRefusedError, post, type Resolve } from './webhook-request.ts'

export type WebhookOptions = {
  /** Each signs; the first is the present one. Empty: nothing is signed. */
  secrets: readonly string[]
  allowPrivate: boolean
  version: string
  resolve?: Resolve
}

const timeoutMs = 15_000
const firstPauseMs = 5_000
const longestPauseMs = 3_600_000

/** The handler of deliveries, which every worker has. */
export function webhookTask({ secrets, allowPrivate, version, resolve }: WebhookOptions): TaskDefinition {
  return defineTask({
    type: webhookType,
    timeoutMs,
    async run(input, { id, attempt, signal }) {
      const { url, body } = readDelivery(input)
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': `millrace/${version}`,
        ...signed(secrets, { id, seconds: Math.floor(Date.now() / 1000), body }),
      }
      const isAllowed = allowPrivate ? () => true : isPublicAddress
      const { status, retryAfter } = await post({
        ...{ url, body, headers, signal, isAllowed },
        ...(resolve ? { resolve } : {}),
      }).catch((error) => fail(error, attempt))
      return judge(status, { attempt, retryAfter })
    },
  })
}

/**
 * The headers of Standard Webhooks: the id of the delivery, the same at each attempt; the time; and for each secret
 * an HMAC-SHA256 over both and the body.
 */
export function signed(
  secrets: readonly string[],
  { id, seconds, body }: { id: string; seconds: number; body: string },
): Record<string, string> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds) }
  if (secrets.length === 0) return headers
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`)
    return `v1,${hmac.digest('base64')}`
  })
  return { ...headers, 'webhook-signature': signatures.join(' ') }
}

/** `whsec_` announces base64, as Standard Webhooks have it; anything else is taken as it is. */
function keyOf(secret: string): Buffer {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []
  return encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64')
}

function readDelivery(input: unknown): { url: URL; body: string } {
  const { url, body } = Object(input)
  if (typeof url !== 'string' || typeof body !== 'string' || !isCallbackUrl(url))
    throw new NonRetryableError('this is no delivery')
  return { url: new URL(url), body }
}

function fail(error: unknown, attempt: number): never {
  if (error instanceof AddressRefusedError) throw new NonRetryableError(error.message, { cause: error })
  throw later(error instanceof Error ? error.message : String(error), attempt, error)
}

function judge(status: number, { attempt, retryAfter }: { attempt: number; retryAfter: string | undefined }) {
  if (status >= 200 && status < 300) return { status }
  if (status === 410) throw new NonRetryableError('the other side answered 410: it wants no more of these')
  const isRedirect = status >= 300 && status < 400
  const answer = `the other side answered ${status}${isRedirect ? '; redirects are not followed' : ''}`
  const askedMs = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1_000 : 0
  throw later(answer, attempt, undefined, askedMs)
}

/** 5, 15, 45 seconds, and so on up to an hour, spread by ±20 %: some three hours for ten attempts. */
function later(message: string, attempt: number, cause?: unknown, askedMs = 0): RetryLaterError {
  const plainMs = firstPauseMs * 3 ** Math.min(20, attempt - 1) * (0.8 + 0.4 * Math.random())
  const delayMs = Math.round(Math.min(longestPauseMs, Math.max(plainMs, askedMs)))
  return new RetryLaterError(message, { delayMs, cause })
}
