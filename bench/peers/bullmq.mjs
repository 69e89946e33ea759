import { Queue, Worker } from 'bullmq'
import { noop, payload, putAll, serve } from '../serve.ts'

const [url] = process.argv.slice(2)
const { hostname: host, port } = new URL(url)
const connection = { host, port: Number(port), maxRetriesPerRequest: null }
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
  async work(expected) {
    const run = noop(expected)
    new Worker('bench', async () => run(), { connection, concurrency: 500 })
  },
  completed: () => queue.getCompletedCount(),
})
