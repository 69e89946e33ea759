import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

type Seen = { headers: IncomingHttpHeaders; body: { id: string; status: string } }

/** A receiver of webhooks on this machine; it answers with these statuses first, then with 204. */
export async function startReceiver(t: TestContext, statuses: number[]) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    seen.push({ headers: request.headers, body: JSON.parse((await request.toArray()).join('')) })
    response.writeHead(statuses.shift() ?? 204).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, seen }
}
