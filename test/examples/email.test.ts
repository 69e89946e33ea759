import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asked, serviceFor, systemWith } from './system.ts'

test('an email is tried again, put off or given up, and sent once for an order', async (t) => {
  const asked: Asked[] = []
  const answers: [number, Record<string, string>][] = []
  process.env.MAIL_URL = await serviceFor(t, (request, response) => {
    asked.push(request)
    const [status, headers] = answers.shift() ?? [200, {}]
    response.writeHead(status, headers).end('{"messageId":"m-1"}')
  })
  const { orderPlaced } = await import('../../examples/email/order-placed.ts')
  const millrace = await systemWith(t, await import('../../examples/email/tasks.ts'))
  const order = (number: string) => orderPlaced(millrace, { number, customer: 'a@b.example' })

  answers.push([500, {}], [429, { 'retry-after': '3600' }])
  const id = await order('1')
  await millrace.drain()
  await millrace.advance(2_000) // after the 500
  await millrace.drain()
  assert.equal(asked.length, 2)
  await millrace.advance(1_800_000)
  await millrace.drain()
  assert.equal(asked.length, 2, 'the service said an hour')
  await millrace.advance(1_900_000)
  assert.deepEqual((await millrace.waitFor(id)).result, { messageId: 'm-1' })
  assert.deepEqual(
    asked.map(({ headers }) => headers['idempotency-key']),
    [id, id, id],
  )

  assert.equal(await order('1'), id)
  answers.push([400, {}])
  const refused = await millrace.waitFor(await order('2'))
  assert.deepEqual([refused.status, refused.error?.name], ['failed', 'NonRetryableError'])
  assert.equal(asked.length, 4)
})
