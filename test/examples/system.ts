import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startTesting, type TestingOptions } from '../../src/testing/index.ts'
import { testDatabase } from '../support/postgres.ts'

export const examples = join(import.meta.dirname, '../../examples')

/** Everything in this process, with the handlers of an example. */
export async function systemWith(
  t: TestContext,
  tasks: TestingOptions['tasks'],
  options: Partial<TestingOptions> = {},
) {
  let stop = async () => {}
  t.after(() => stop()) // before the database goes, without which nothing can be handed back
  const databaseUrl = await testDatabase(t)
  const millrace = await startTesting({ ...options, tasks, databaseUrl })
  stop = millrace.stop
  return millrace
}

export type Asked = { headers: IncomingMessage['headers']; body: string }

/** A service of somebody else's, at which an example calls. */
export async function serviceFor(
  t: TestContext,
  answer: (asked: Asked, response: ServerResponse, request: IncomingMessage) => void,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('')
    answer({ headers: request.headers, body }, response, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
