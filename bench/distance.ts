import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** An address through which a server is `delayMs` away in each direction, as one in another place would be. */
export async function distance(url: string, delayMs: number): Promise<{ url: string; close(): void }> {
  const far = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (near) => {
    const away = connect({ host: far.hostname, port: Number(far.port), noDelay: true })
    forward(near, away)
    forward(away, near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const here = new URL(url)
  here.hostname = '127.0.0.1'
  here.port = String((server.address() as AddressInfo).port)
  return {
    url: here.href,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }

  /** What comes is passed on as late; timers of the same length keep its order. */
  function forward(from: Socket, to: Socket) {
    const late = (pass: () => void) => (delayMs > 0 ? setTimeout(pass, delayMs) : pass())
    sockets.add(from)
    from.on('data', (bytes) => late(() => to.write(bytes)))
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      late(() => to.destroy())
    })
  }
}
