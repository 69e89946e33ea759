import { Pool } from 'undici'
import { loadWith, type Payload, serve } from './serve.ts'

// Submits to Millrace over HTTP, with a client that costs little: what it takes is missing to what is measured.
const urls = process.argv.slice(2)
const pools = urls.map((url) => new Pool(url, { connections: Math.ceil(64 / urls.length) }))
let turn = 0

serve(
  loadWith((payloads, keyOf) => {
    const tasks = payloads.map((payload, nth) => taskOf(payload, keyOf?.(nth)))
    return payloads.length === 1 ? post('/tasks', tasks[0]!) : post('/tasks/batch', { tasks })
  }),
)

const taskOf = (payload: Payload, key?: string) => ({ type: 'noop', payload, ...(key && { key }) })

async function post(path: string, content: object): Promise<void> {
  turn += 1
  const { statusCode, body } = await pools[turn % pools.length]!.request({
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(content),
  })
  const answer = await body.text()
  if (statusCode >= 300) throw new Error(`${statusCode}: ${answer}`)
}
