import { createPostgresBackend, Queue, setDefaultBackendFactory, Worker } from 'bullmq'
import { loadWith, nothing, serve } from '../serve.ts'

const [url] = process.argv.slice(2)
const { hostname: host, port, protocol } = new URL(url)
const isRedis = protocol === 'redis:'
if (!isRedis) setDefaultBackendFactory(createPostgresBackend)
const connection = isRedis
  ? { host, port: Number(port), maxRetriesPerRequest: null }
  : { connectionString: url, max: 10, migrate: true }
const queue = new Queue('bench', { connection })

serve({
  prepare: () => queue.waitUntilReady(),
  ...loadWith((payloads) =>
    payloads.length === 1
      ? queue.add('noop', payloads[0])
      : queue.addBulk(payloads.map((data) => ({ name: 'noop', data }))),
  ),
  async work(expected, { concurrency, sleepMs }) {
    const run = nothing(expected, sleepMs)
    new Worker('bench', async ({ data }) => run(data), { connection, concurrency })
  },
  completed: () => queue.getCompletedCount(),
})
