import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { isSigned } from './signature.ts'

type Ended = { id: string; type: string; status: 'completed' | 'failed' | 'canceled'; result: unknown }
type Receiver = { secret: string; onEnd: (task: Ended) => Promise<void> | void }

/**
 * Takes webhooks of tasks that have ended. A delivery may come more than once, so its id is what `onEnd` is called once for;
 * here ids are kept in memory, in an application in the transaction that does the work. What fails is delivered again.
 */
export function webhookReceiver({ secret, onEnd }: Receiver) {
  const seen = new Set<string>()
  return createServer((request, response) => {
    receive(request, response).catch((error) => {
      console.error(error)
      response.writeHead(500).end()
    })
  })

  async function receive(request: IncomingMessage, response: ServerResponse) {
    const body = await text(request)
    if (!isSigned(request.headers, body, secret)) return void response.writeHead(401).end()
    const id = String(request.headers['webhook-id'])
    if (!seen.has(id)) await onEnd(JSON.parse(body) as Ended)
    seen.add(id)
    response.writeHead(204).end()
  }
}
