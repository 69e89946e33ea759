import type { FastifyInstance, FastifyReply } from 'fastify'

/** Answers a signal for a request that waits: it aborts when the client leaves or the server closes. */
export function openWaits(app: FastifyInstance): (reply: FastifyReply) => AbortSignal {
  const open = new Set<AbortController>()
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    for (const wait of open) wait.abort()
    done()
  })

  return (reply) => {
    const wait = new AbortController()
    open.add(wait)
    reply.raw.once('close', () => {
      open.delete(wait)
      wait.abort()
    })
    if (closing) wait.abort()
    return wait.signal
  }
}
