import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { pino } from 'pino'
import { createLocalRunner } from '../../src/handlers/attempt.ts'
import { signed, webhookTask } from '../../src/handlers/webhook.ts'
import { claimed } from './task.ts'

type Answer = { status: number; headers?: Record<string, string> }

/** A receiver, and what it was sent. */
async function receiver(t: TestContext, answers: Answer[]) {
  const seen: { request: IncomingMessage; body: string }[] = []
  const server = createServer(async (request, response) => {
    seen.push({ request, body: (await request.toArray()).join('') })
    const { status, headers } = answers.shift() ?? { status: 204 }
    response.writeHead(status, headers).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, seen }
}

async function deliver(url: string, { body = '{"n":1.0}', secrets = ['s3cret'], allowPrivate = true } = {}) {
  const webhook = webhookTask({ secrets, allowPrivate, version: '1' })
  const runner = createLocalRunner({
    definitions: new Map([[webhook.type, webhook]]),
    log: pino({ level: 'silent' }),
  })
  const task = claimed({ type: webhook.type, payload: JSON.stringify({ about: 'x', url, body }) })
  const verdict = await runner.run(task)
  await runner.stop()
  return { task, verdict }
}

describe('a delivery', () => {
  it('posts the body to the letter, signed, and names itself', async (t) => {
    const { url, seen } = await receiver(t, [])
    const body = '{"payload":{"b":1.0, "a":1e400,"u":"\\ud800ä"}}'

    const { task, verdict } = await deliver(url, { body, secrets: ['new', 'old'] })

    assert.deepEqual(verdict, { kind: 'completed', result: '{"status":204}' })
    const [{ request, body: sent }] = seen as [(typeof seen)[0]]
    assert.equal(sent, body)
    assert.deepEqual(
      [request.method, request.url, request.headers['content-type'], request.headers['webhook-id']],
      ['POST', '/hook', 'application/json', task.id],
    )
    const time = request.headers['webhook-timestamp']
    const expected = ['new', 'old'].map(
      (secret) => `v1,${createHmac('sha256', secret).update(`${task.id}.${time}.${body}`).digest('base64')}`,
    )
    assert.equal(request.headers['webhook-signature'], expected.join(' '))
    assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60)
  })

  it('has no signature without a secret', async (t) => {
    const { url, seen } = await receiver(t, [])
    await deliver(url, { secrets: [] })
    assert.equal(seen[0]!.request.headers['webhook-signature'], undefined)
    assert.ok(seen[0]!.request.headers['webhook-timestamp'])
  })

  it('is tried again after any answer but 2xx, and follows nobody', async (t) => {
    for (const status of [301, 302, 307, 308, 400, 404, 429, 500, 503]) {
      const elsewhere = await receiver(t, [])
      const { url, seen } = await receiver(t, [{ status, headers: { location: elsewhere.url } }])
      const { verdict } = await deliver(url)
      assert.ok(verdict.kind === 'failed' && verdict.retryable, String(status))
      assert.ok(verdict.delayMs! >= 4_000 && verdict.delayMs! <= 6_000, String(verdict.delayMs))
      assert.deepEqual([seen.length, elsewhere.seen.length], [1, 0])
    }
  })

  it('is not tried again where nobody wants it, or where it may not go', async (t) => {
    const { url, seen } = await receiver(t, [{ status: 410 }])
    const gone = await deliver(url)
    const refused = await deliver(url, { allowPrivate: false })
    const nonsense = await deliver('ftp://example.com')

    for (const { verdict } of [gone, refused, nonsense]) {
      assert.equal(verdict.kind, 'failed')
      assert.ok(verdict.kind === 'failed' && !verdict.retryable, JSON.stringify(verdict))
    }
    assert.match(JSON.stringify(refused.verdict), /WEBHOOK_ALLOW_PRIVATE/)
    assert.equal(seen.length, 1)
  })
})

it('signs as Standard Webhooks have it', () => {
  // The example of the specification's reference libraries.
  const headers = signed(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    seconds: 1614265330,
    body: '{"test": 2432232314}',
  })
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})
