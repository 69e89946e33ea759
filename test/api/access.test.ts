import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { type LiveKey, newKey, type Scope, scopes } from '../../src/domain/access.ts'
import { apiWith } from './api-under-test.ts'
import { assertProblem } from './problem-check.ts'

type Operation = { security?: Record<string, string[]>[] }
type Document = { paths: Record<string, Record<string, Operation>> }

/** An API with a managed key of these scopes, beside one of the settings. */
async function apiOf(t: TestContext, given: readonly Scope[]) {
  const { id, key, digest } = newKey()
  const live: LiveKey = { id, name: 'under test', scopes: [...given], digest, expiresInMs: null }
  const { app } = await apiWith(t, { findKey: (asked) => (asked === id ? live : undefined) }, ['root'])
  return { app, authorization: `Bearer ${key}` }
}

async function operations(t: TestContext) {
  const { app } = await apiWith(t)
  const { paths } = (await app.inject('/openapi.json')).json() as Document
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase() as 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      url: path.replaceAll(/\{\w+\}/g, 'x'),
      security,
    })),
  )
}

describe('every route of the OpenAPI document', () => {
  it('says what it takes: a scope, or nothing', async (t) => {
    const all = await operations(t)
    assert.ok(all.length > 30)
    const open = all.filter(({ security }) => security?.length === 0).map(({ url }) => url)
    assert.deepEqual(open.sort(), ['/healthz', '/readyz', '/session', '/session'])
    for (const { method, url, security } of all) {
      assert.ok(security, `${method} ${url} says nothing`)
      if (open.includes(url) || url === '/whoami') continue
      const roles = security.flatMap(({ apiKey = [] }) => apiKey)
      assert.equal(roles.length, 1, `${method} ${url}`)
      assert.deepEqual(security, [{}, { apiKey: roles }, { session: roles }], `${method} ${url}`)
    }
  })

  it('is open to its own scope and to admin, and to no other', async (t) => {
    const all = await operations(t)
    for (const scope of scopes) {
      const { app, authorization } = await apiOf(t, [scope])
      for (const { method, url, security = [] } of all) {
        const needed = security.flatMap(({ apiKey = [] }) => apiKey)[0]
        // A parameter that no address has is refused after the key is looked at, and before anything is done.
        const response = await app.inject({ method, url: `${url}?nonsense=1`, headers: { authorization } })
        const isOpen = needed === undefined || needed === scope || scope === 'admin'
        const what = `${method} ${url} with ${scope}: ${response.statusCode}`
        if (isOpen) assert.ok(response.statusCode !== 403 && response.statusCode !== 401, what)
        else
          assert.match(assertProblem(response, 'forbidden').detail, new RegExp(`takes the scope ${needed}`))
      }
    }
  })

  it('takes no call without a key, and none with a wrong one', async (t) => {
    const { app } = await apiOf(t, ['admin'])
    const wrong = { authorization: `Bearer ${newKey().key}` }
    for (const { method, url, security = [] } of await operations(t)) {
      if (security.every((one) => Object.keys(one).length === 0)) continue
      assertProblem(await app.inject({ method, url }), 'unauthorized')
      assertProblem(await app.inject({ method, url, headers: wrong }), 'unauthorized')
    }
  })

  it('has a scope, or the API does not come up', async (t) => {
    const { app } = await apiWith(t)
    assert.throws(
      () => app.get('/forgotten', {}, async () => 'x'),
      /GET.* \/forgotten does not say who may call it/,
    )
  })
})

describe('a page of another site', () => {
  const evil = { origin: 'http://evil.example' }

  it('changes nothing, whatever it shows', async (t) => {
    const { app } = await apiWith(t, {}, ['root'])
    const authorization = 'Bearer root'
    const all = (await operations(t)).filter(({ method }) => method !== 'GET')
    for (const { method, url } of all)
      for (const headers of [
        evil,
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site', origin: 'http://localhost:80' },
        { origin: 'https://localhost.evil.example' },
      ])
        assertProblem(
          await app.inject({ method, url, headers: { ...headers, authorization } }),
          'cross-origin',
        )
  })

  it('is told apart from a page of this server, and from what is no browser', async (t) => {
    const { app } = await apiWith(t)
    const pause = (headers: Record<string, string>) =>
      app.inject({ method: 'POST', url: '/queues/x/pause', headers: { host: 'localhost:8000', ...headers } })
    for (const headers of [
      {},
      { origin: 'http://localhost:8000' },
      { origin: 'https://localhost:8000' }, // a proxy that ends TLS
      { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8000' },
      { 'sec-fetch-site': 'none' },
    ])
      assert.equal((await pause(headers)).statusCode, 200)
    assertProblem(await pause({ origin: 'http://localhost:8001' }), 'cross-origin')
  })

  it('reads nothing either: no answer is meant for another origin', async (t) => {
    const { app } = await apiWith(t)
    for (const url of ['/stats', '/nowhere', '/tasks/x', '/openapi.json', '/dashboard/']) {
      const { headers } = await app.inject({ url, headers: evil })
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith('access-control')),
        [],
      )
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.match(String(headers['content-security-policy']), /^default-src 'none'.*frame-ancestors 'none'/)
    }
    const preflight = { ...evil, 'access-control-request-method': 'POST' }
    const { headers } = await app.inject({ method: 'OPTIONS', url: '/tasks', headers: preflight })
    assert.equal(headers['access-control-allow-origin'], undefined)
  })

  it('cannot take this server for its own by a name that points here, where no keys are wanted', async (t) => {
    const { app } = await apiWith(t)
    const get = (host: string) => app.inject({ url: '/stats', headers: { host } })
    for (const host of ['evil.example:8000', 'a.b', '127.0.0.1.evil.example'])
      assertProblem(await get(host), 'unknown-host')
    for (const host of [
      'localhost:8000',
      '127.0.0.1',
      '10.1.2.3:80',
      '[::1]:8000',
      'api:8000',
      'x.localhost',
    ])
      assert.equal((await get(host)).statusCode, 200)
    assert.equal((await app.inject({ url: '/readyz', headers: { host: 'jobs.example' } })).statusCode, 200)
    const { app: guarded } = await apiWith(t, {}, ['root'])
    const headers = { host: 'jobs.example', authorization: 'Bearer root' }
    assert.equal((await guarded.inject({ url: '/stats', headers })).statusCode, 200)
  })
})

it('no route that only reads changes anything', async (t) => {
  const reading = (await operations(t)).filter(({ method }) => method === 'GET')
  const changing =
    /^(submit|open(Import|Session)|cancel|retry|put|remove|run|pause|resume|change|create|revoke|register|claim|beat|finish|leave|close)/
  const { useCasesWith } = await import('./api-under-test.ts')
  const called: string[] = []
  const watched = Object.keys(useCasesWith({})).filter((name) => changing.test(name))
  const { app } = await apiWith(t, Object.fromEntries(watched.map((name) => [name, () => called.push(name)])))
  for (const { url } of reading.filter(({ url }) => !/events|live/.test(url))) await app.inject(url)
  assert.ok(watched.length > 15)
  assert.deepEqual(called, [])
})
