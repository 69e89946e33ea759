import { createServer } from 'node:net'
import { millraceVersionAt } from '../../cli/probe.ts'
import type { Config } from '../../runtime/config.ts'
import { type Finding, fail, ok } from './finding.ts'

/** Whether the API can listen, or does so already. */
export async function portFinding({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Finding> {
  const error = await listenError(host, port)
  if (error === undefined) return ok('port', `${host}:${port} is free`)
  if (error.code !== 'EADDRINUSE') {
    return fail(
      'port',
      error.message,
      'set HOST and PORT to an address of this machine that this user may listen on',
    )
  }
  const address = addressOf(host, port)
  const version = await millraceVersionAt(address)
  return version === undefined
    ? fail('port', `another program listens on ${address}`, 'stop it, or set PORT to another port')
    : ok('port', `Millrace ${version} answers at ${address}`)
}

function listenError(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', resolve)
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}

/** An address to call: "all of this machine's" is not one. */
function addressOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
