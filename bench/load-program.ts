import { Pool } from 'undici'
import { loadWith, type Payload, serve } from './serve.ts'

// Submits to Millrace over HTTP, with a client that costs little: what it takes is missing to what is measured.
const [url = ''] = process.argv.slice(2)
const pool = new Pool(url, { connections: 64 })

serve(
  loadWith((payloads) =>
    payloads.length === 1
      ? post('/tasks', taskOf(payloads[0]!))
      : post('/tasks/batch', { tasks: payloads.map(taskOf) }),
  ),
)

const taskOf = (payload: Payload) => ({ type: 'noop', payload })

async function post(path: string, content: object): Promise<void> {
  const { statusCode, body } = await pool.request({
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(content),
  })
  const answer = await body.text()
  if (statusCode >= 300) throw new Error(`${statusCode}: ${answer}`)
}
