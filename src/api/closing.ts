import type { FastifyInstance, FastifyReply } from 'fastify'

export type Closing = {
  /** True from the moment at which the server was asked to close. */
  hasBegun(): boolean
  /** A signal for a request that waits: it aborts when the client leaves or the server closes. */
  waitSignal(reply: FastifyReply): AbortSignal
}

/** Makes a closing server be done soon: waits end, and each answer is the last one of its connection. */
export function watchClosing(app: FastifyInstance): Closing {
  const waits = new Set<AbortController>()
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    for (const wait of waits) wait.abort()
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close')
    done(null, payload)
  })

  return {
    hasBegun: () => closing,
    waitSignal(reply) {
      const wait = new AbortController()
      if (closing) wait.abort()
      waits.add(wait)
      reply.raw.once('close', () => {
        waits.delete(wait)
        wait.abort()
      })
      return wait.signal
    },
  }
}
