import type { FastifyInstance } from 'fastify'
import type { Distribution, Metric } from '../domain/metric.ts'

const boundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

type Times = { labels: { method: string; route: string; status: string }; counts: number[]; sumMs: number }

/** Counts how long answers took, by route and kind of status: as many numbers as there are routes, whatever is asked for. */
export function timeRequests(app: FastifyInstance): () => Metric {
  const known = new Map<string, Times>()
  app.addHook('onResponse', (request, reply, done) => {
    const times = timesOf(request.method, request.routeOptions.url ?? '(none)', reply.statusCode)
    const ms = reply.elapsedTime
    let n = 0
    while (n < boundsMs.length && ms > boundsMs[n]!) n++
    times.counts[n]! += 1
    times.sumMs += ms
    done()
  })
  return () => ({
    kind: 'histogram',
    name: 'millrace_http_request_duration_seconds',
    help: 'How long requests took until they were answered whole, waits and streams included.',
    samples: [...known.values()].map(distribution),
  })

  function timesOf(method: string, route: string, statusCode: number): Times {
    const status = `${Math.floor(statusCode / 100)}xx`
    // Methods of no route are whatever somebody sends.
    const verb = route === '(none)' ? '(any)' : method
    const key = `${verb} ${route} ${status}`
    let times = known.get(key)
    if (!times) {
      const counts = new Array<number>(boundsMs.length + 1).fill(0)
      times = { labels: { method: verb, route, status }, counts, sumMs: 0 }
      known.set(key, times)
    }
    return times
  }
}

function distribution({ labels, counts, sumMs }: Times): Distribution {
  let count = 0
  const buckets = boundsMs.map((ms, n) => {
    count += counts[n]!
    return { upTo: ms / 1000, count }
  })
  return { labels, buckets, count: count + counts.at(-1)!, sum: sumMs / 1000 }
}
