import { lookup } from 'node:dns/promises'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'

export type Resolve = (hostname: string) => Promise<{ address: string; family: number }[]>

export type Post = {
  url: URL
  body: string
  headers: Record<string, string>
  signal: AbortSignal
  /** Whether that address may be connected to. */
  isAllowed: (address: string) => boolean
  resolve?: Resolve
}

/** The host is at an address that must not be called. Trying again would not change that. */
export class AddressRefusedError extends Error {
  constructor(host: string, address: string) {
    const where = host === address ? address : `${host} (${address})`
    super(
      `${where} is not on the public internet; webhooks reach private addresses only with WEBHOOK_ALLOW_PRIVATE`,
    )
    this.name = 'AddressRefusedError'
  }
}

/**
 * Posts, and answers the status and how long the other side wants to be left alone. Follows no redirect, reads no body.
 * The name is looked up once, and what was looked at is what is connected to: a name that changes its address in
 * between gains nothing.
 */
export function post({ url, body, headers, signal, isAllowed, resolve = resolveAll }: Post) {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0 && !isAllowed(host)) return Promise.reject(new AddressRefusedError(host, host))
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise<{ status: number; retryAfter: string | undefined }>((answer, fail) => {
    const request = send(
      url,
      { method: 'POST', headers, signal, agent: false, lookup: guarded(resolve, isAllowed) },
      ({ statusCode = 0, headers }) => {
        answer({ status: statusCode, retryAfter: headers['retry-after'] })
        request.destroy()
      },
    )
    request.on('error', fail)
    request.end(body)
  })
}

/** A lookup that fails where one of the addresses is not allowed. Sockets call it for names only. */
function guarded(resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((addresses) => {
        const refused = addresses.find(({ address }) => !isAllowed(address))
        if (refused) throw new AddressRefusedError(hostname, refused.address)
        const [first] = addresses
        if (!first) throw new Error(`${hostname} has no address`)
        if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      })
      .catch((error) => callback(error, ''))
  }
}

function resolveAll(hostname: string) {
  return lookup(hostname, { all: true })
}
