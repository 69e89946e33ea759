import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** What large bodies may hold at once, from their first byte to their answer. They take a few times that while they are read. */
const mostBytes = 64 * 1024 * 1024
/** So many connections with bodies of this size still fit into memory: they are not counted. */
const smallBytes = 16 * 1024

type Held = { body: IncomingMessage; bytes: number }

/**
 * Bounds the memory that bodies take, however many clients send one at a time: while too much is held, nothing more
 * is read of the others, which then wait in the network. The oldest one is always read, so that it goes on.
 */
export function boundBodies(app: FastifyInstance) {
  const held = new Set<Held>()
  let heldBytes = 0

  app.addHook('preParsing', (request, reply, payload, done) => {
    if (isLarge(request) && !isStreamed(request)) {
      const one = { body: request.raw, bytes: 0 }
      const onData = (chunk: Buffer) => take(one, chunk.length)
      held.add(one)
      request.raw.on('data', onData)
      reply.raw.once('close', () => {
        request.raw.off('data', onData)
        release(one)
      })
    }
    done(null, payload)
  })

  function take(one: Held, bytes: number) {
    one.bytes += bytes
    heldBytes += bytes
    if (!mayRead(one)) one.body.pause()
  }

  function release(one: Held) {
    held.delete(one)
    heldBytes -= one.bytes
    one.body.resume() // what is left of it is dropped
    for (const other of held) if (mayRead(other)) other.body.resume()
  }

  function mayRead(one: Held): boolean {
    return heldBytes < mostBytes || held.values().next().value === one
  }
}

/** What is taken as it comes holds next to nothing. */
function isStreamed({ routeOptions }: FastifyRequest): boolean {
  return 'streamed' in routeOptions.config
}

/** A body that does not say how long it is may become large. */
function isLarge({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > smallBytes
}
