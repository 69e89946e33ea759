import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { apiWith, portOf } from './api-under-test.ts'
import { assertProblem } from './problem-check.ts'

describe('addresses and methods', () => {
  it('answers 404 for an address that is not there, and hints at one that is', async (t) => {
    const { app } = await apiWith(t)
    assert.match(assertProblem(await app.inject('/taks'), 'route-not-found').detail, /did you mean \/tasks\?/)
    assert.match(
      assertProblem(await app.inject('/tasks/'), 'route-not-found').detail,
      /did you mean \/tasks\?/,
    )
    for (const url of ['/v1/jobs', '//', '/tasks/a/b/c', '/__proto__', '/constructor', '/%2e%2e/etc/passwd'])
      assertProblem(await app.inject(url), 'route-not-found')
    const body = '{"payload":'
    const headers = { 'content-type': 'application/json' }
    assertProblem(await app.inject({ method: 'POST', url: '/taks', headers, body }), 'route-not-found')
  })

  it('answers 405 and what is allowed for other methods of an address', async (t) => {
    const { app } = await apiWith(t)
    for (const [method, url, allow] of [
      ['PUT', '/tasks', 'GET, HEAD, OPTIONS, POST'],
      ['PATCH', '/tasks/x?y=1', 'DELETE, GET, HEAD, OPTIONS'],
      ['GET', '/tasks/x/cancel', 'OPTIONS, POST'],
      ['DELETE', '/tasks/batch', 'DELETE, GET, HEAD, OPTIONS, POST'],
      ['POST', '/stats', 'GET, HEAD, OPTIONS'],
      ['POST', '/docs/', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const response = await app.inject({ method, url, headers: { 'content-type': 'a/b' }, body: 'x' })
      if (method === 'DELETE') continue
      assertProblem(response, 'method-not-allowed')
      assert.equal(response.headers.allow, allow)
    }
  })

  it('answers OPTIONS with what is allowed, and HEAD like GET without a body', async (t) => {
    const { app } = await apiWith(t)
    const options = await app.inject({ method: 'OPTIONS', url: '/tasks' })
    assert.equal(options.statusCode, 204)
    assert.equal(options.headers.allow, 'GET, HEAD, OPTIONS, POST')
    const head = await app.inject({ method: 'HEAD', url: '/tasks' })
    assert.equal(head.statusCode, 200)
    assert.equal(head.body, '')
    assertProblem(await app.inject({ method: 'OPTIONS', url: '/taks' }), 'route-not-found')
  })

  it('answers 400 for a path with broken escapes, and 414 for one that is too long', async (t) => {
    const { app } = await apiWith(t)
    for (const url of ['/tasks/%ff', '/tasks/%', '/tasks/%zz/cancel', '/%c3'])
      assertProblem(await app.inject(url), 'bad-url')
    assertProblem(await app.inject(`/tasks/${'a'.repeat(1001)}`), 'uri-too-long')
  })
})

describe('API keys', () => {
  const keys = ['first-key', 'second-key']
  const urls = [
    '/tasks',
    '/tasks/x',
    '/stats',
    '/workers',
    '/openapi.json',
    '/docs/',
    '/docs/js/scalar.js',
    '/nowhere',
  ]

  it('lets nothing but the health checks and the files of the dashboard pass without one', async (t) => {
    const { app } = await apiWith(t, {}, keys)
    for (const url of urls) {
      const response = await app.inject(url)
      assertProblem(response, 'unauthorized')
      assert.equal(response.headers['www-authenticate'], 'Bearer')
    }
    assertProblem(await app.inject({ method: 'POST', url: '/tasks', body: 'x' }), 'unauthorized')
    assert.equal((await app.inject('/healthz')).statusCode, 200)
    assert.equal((await app.inject('/readyz')).statusCode, 200)
    assert.equal((await app.inject('/dashboard/tasks')).statusCode, 200)
    assert.equal((await app.inject('/')).statusCode, 302)
  })

  it('takes each of the keys and nothing else', async (t) => {
    const { app } = await apiWith(t, {}, keys)
    const get = (authorization: string) => app.inject({ url: '/stats', headers: { authorization } })
    for (const key of keys) assert.equal((await get(`Bearer ${key}`)).statusCode, 200)
    assert.equal((await get('bearer first-key')).statusCode, 200)
    const wrong = [
      'first-key',
      'Basic first-key',
      'Bearer',
      'Bearer ',
      'Bearer first',
      'Bearer first-key2',
      'Bearer FIRST-KEY',
    ]
    for (const authorization of [...wrong, 'Bearer first-key second-key', 'Bearer first-key,second-key'])
      assertProblem(await get(authorization), 'unauthorized')
  })
})

it('ends what is in hand when it closes, and answers 503 to what still comes', {
  timeout: 10_000,
}, async (t) => {
  const asked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const { app } = await apiWith(t, {
    listWorkers: async () => {
      asked.resolve()
      await release.promise
      return []
    },
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const inHand = connect(portOf(app), '127.0.0.1')
  inHand.write('GET /workers HTTP/1.1\r\nHost: x\r\n\r\n')
  const late = connect(portOf(app), '127.0.0.1')
  late.write('GET /stats HTTP/1.1\r\nHost: x\r\n')
  await asked.promise
  const closed = app.close()
  while (app.server.listening) await setImmediate()
  late.write('\r\n')
  const refusal = await text(late)
  release.resolve()
  const answer = await text(inHand)
  await closed

  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(refusal, /^HTTP\/1\.1 503 .*"code":"shutting-down"/s)
  for (const reply of [answer, refusal]) assert.match(reply, /\r\nconnection: close\r\n/i)
})
