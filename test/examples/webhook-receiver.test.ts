import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { webhookReceiver } from '../../examples/webhook-receiver/receiver.ts'
import { defineTask } from '../../src/index.ts'
import { systemWith } from './system.ts'

test('a receiver hears of the end of a task once, and of nobody who does not know the secret', async (t) => {
  const secret = 'known-to-both'
  const ended: unknown[] = []
  const delivered: { headers: Record<string, string>; body: string }[] = []
  let isAway = true
  const receiver = webhookReceiver({
    secret,
    onEnd({ type, status, result }) {
      if (isAway) throw new Error('not now')
      ended.push([type, status, result])
    },
  })
  t.mock.method(console, 'error', () => {})
  receiver.prependListener('request', (request) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => delivered.push({ headers: request.headers as Record<string, string>, body }))
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => {
    receiver.close()
    receiver.closeAllConnections()
  })
  const callbackUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const greet = defineTask({ type: 'greet', run: (name) => `hello ${name}` })
  const millrace = await systemWith(t, { greet }, { webhookSecret: secret })
  await millrace.submit('greet', 'you', { callbackUrl })

  await millrace.waitFor(() => delivered.length === 1)
  assert.deepEqual(ended, [])
  isAway = false
  await millrace.waitFor(async () => (await millrace.stats()).counts.scheduled === 1)
  await millrace.advance(60_000)
  await millrace.waitFor(() => ended.length === 1)
  assert.deepEqual(ended, [['greet', 'completed', 'hello you']])

  const { headers, body } = delivered.at(-1)!
  const again = (change: object, text = body) =>
    fetch(callbackUrl, { method: 'POST', body: text, headers: { ...signatureOf(headers), ...change } })
  assert.equal((await again({})).status, 204)
  assert.equal((await again({}, body.replace('you', 'all'))).status, 401)
  assert.equal(
    (await again({ 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 400) })).status,
    401,
  )
  assert.equal((await again({ 'webhook-signature': '' })).status, 401)
  assert.equal(ended.length, 1)
})

function signatureOf(headers: Record<string, string>) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-')))
}
