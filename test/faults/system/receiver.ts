import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RigLine } from './ledger.ts'
import { nowMs } from './machine-clock.ts'

export type Receiver = { url: string; close(): void }

/** Who is told of the ends of tasks and batches. What it hears is written down before it is answered. */
export async function openReceiver(record: (line: RigLine) => void): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const { id } = JSON.parse((await request.toArray()).join(''))
    record({ what: 'told', at: nowMs(), id })
    response.writeHead(204).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
