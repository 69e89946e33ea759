import { createPostgresBackend, Queue, setDefaultBackendFactory, Worker } from 'bullmq'
import { nothing, payload, putAll, serve } from '../serve.ts'

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
  async submit(count, shape) {
    await putAll(count, shape, (size) =>
      size === 1
        ? queue.add('noop', payload)
        : queue.addBulk(Array.from({ length: size }, () => ({ name: 'noop', data: payload }))),
    )
  },
  async work(expected, { concurrency, sleepMs }) {
    const run = nothing(expected, sleepMs)
    new Worker('bench', async () => run(), { connection, concurrency })
  },
  completed: () => queue.getCompletedCount(),
})
