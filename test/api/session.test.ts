import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { digestOf, type LiveKey, newKey, newToken, proofOf, type Session } from '../../src/domain/access.ts'
import { apiWith } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

/** An API with a key of the settings, a managed one, and sessions in memory. */
async function signedApi(t: TestContext, apiKeys: readonly string[] = ['root']) {
  const sessions = new Map<string, Session>()
  const { id, key, digest } = newKey()
  const live = new Map<string, LiveKey>([
    [id, { id, name: 'reader', scopes: ['read'], digest, expiresInMs: null }],
  ])
  const { app } = await apiWith(
    t,
    {
      findKey: (asked) => live.get(asked),
      openSession: async (owner) => {
        const token = newToken()
        const whose =
          'keyId' in owner
            ? { keyId: owner.keyId, proof: null }
            : { keyId: null, proof: proofOf(token, owner.key) }
        sessions.set(token, { digest: digestOf(token), expiresInMs: 1_000, ...whose })
        return token
      },
      findSession: async (token) => sessions.get(token),
      closeSession: async (token) => void sessions.delete(token),
    },
    apiKeys,
  )
  const signIn = (key: unknown, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/session', body: { key }, headers })
  const cookieOf = ({ headers }: { headers: Record<string, unknown> }) =>
    String(headers['set-cookie']).split(';')[0]!
  return { app, key, id, live, sessions, signIn, cookieOf }
}

describe('signing in', () => {
  it('gives the browser a cookie without the key, good for what the key is good for', async (t) => {
    const { app, key, signIn, cookieOf } = await signedApi(t)
    const answer = await signIn(key)
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(answer.json(), {
      key: { name: 'reader', scopes: ['read'] },
      authRequired: true,
      version: '1.2.3',
    })
    const set = String(answer.headers['set-cookie'])
    assert.match(set, /^millrace_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    assert.ok(!set.includes(key) && !answer.body.includes(key))
    const cookie = `other=1; ${cookieOf(answer)}; more=2`
    assert.equal((await app.inject({ url: '/stats', headers: { cookie } })).statusCode, 200)
    assertProblem(
      await app.inject({ method: 'POST', url: '/queues/x/pause', headers: { cookie } }),
      'forbidden',
    )
    assert.deepEqual((await app.inject({ url: '/whoami', headers: { cookie } })).json(), answer.json())
  })

  it('works with a key of the settings, and for as long as the settings have it', async (t) => {
    const { signIn, cookieOf, sessions } = await signedApi(t)
    const answer = await signIn('root')
    assert.equal(answer.json().key.name, 'API_KEYS #1')
    const [token, session] = [...sessions][0]!
    assert.ok(token && !JSON.stringify(session).includes('root'))
    const headers = { cookie: cookieOf(answer) }
    const others = await apiWith(t, { findSession: async () => session }, ['other'])
    assertProblem(await others.app.inject({ url: '/stats', headers }), 'unauthorized')
    const same = await apiWith(t, { findSession: async () => session }, ['new', 'root'])
    assert.equal((await same.app.inject({ url: '/stats', headers })).statusCode, 200)
  })

  it('ends with the key, and when the browser signs out', async (t) => {
    const { app, key, id, live, signIn, cookieOf } = await signedApi(t)
    const headers = { cookie: cookieOf(await signIn(key)) }
    const stats = () => app.inject({ url: '/stats', headers })
    assert.equal((await stats()).statusCode, 200)
    live.delete(id)
    assertProblem(await stats(), 'unauthorized')

    const root = { cookie: cookieOf(await signIn('root')) }
    const out = await app.inject({ method: 'DELETE', url: '/session', headers: root })
    assert.equal(out.statusCode, 204)
    assert.match(String(out.headers['set-cookie']), /^millrace_session=; Path=\/; Max-Age=0;/)
    const refused = assertProblem(await app.inject({ url: '/stats', headers: root }), 'unauthorized')
    assert.match(refused.detail, /sign in again/)
    assert.deepEqual((await app.inject({ url: '/whoami', headers: root })).json().key, null)
  })

  it('sends the cookie over TLS only where the page came over TLS', async (t) => {
    const { signIn } = await signedApi(t)
    const { headers } = await signIn('root', { host: 'jobs.example', origin: 'https://jobs.example' })
    assert.match(String(headers['set-cookie']), /; HttpOnly; SameSite=Strict; Secure$/)
  })

  it('refuses what is no key, and pages of other sites', async (t) => {
    const { app, signIn, sessions } = await signedApi(t)
    for (const key of ['nonsense', newKey().key, 'ROOT']) assertProblem(await signIn(key), 'unauthorized')
    for (const key of [undefined, null, '', 7, {}, 'x'.repeat(5_000)])
      assert.deepEqual(faultsOf(await signIn(key)), ['#/key'])
    assertProblem(await signIn('root', { origin: 'http://evil.example' }), 'cross-origin')
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    assertProblem(
      await app.inject({ method: 'POST', url: '/session', headers: form, body: 'key=root' }),
      'unsupported-media-type',
    )
    assert.equal(sessions.size, 0)
  })
})

describe('whoami', () => {
  it('tells whether keys are wanted, and refuses one that is not known', async (t) => {
    const { app } = await signedApi(t)
    const who = (headers: Record<string, string>) => app.inject({ url: '/whoami', headers })
    assert.deepEqual((await who({})).json(), { key: null, authRequired: true, version: '1.2.3' })
    assert.equal((await who({ authorization: 'Bearer root' })).json().key.scopes.includes('admin'), true)
    assertProblem(await who({ authorization: 'Bearer wrong' }), 'unauthorized')
    const { app: open } = await signedApi(t, [])
    assert.deepEqual((await open.inject('/whoami')).json(), {
      key: null,
      authRequired: false,
      version: '1.2.3',
    })
  })

  it('holds a managed key to its scopes even where none is wanted', async (t) => {
    const { app, key } = await signedApi(t, [])
    const headers = { authorization: `Bearer ${key}` }
    assertProblem(await app.inject({ method: 'POST', url: '/queues/x/pause', headers }), 'forbidden')
    assert.equal((await app.inject({ method: 'POST', url: '/queues/x/pause' })).statusCode, 200)
  })
})

it('a cookie is no help to whoever guesses: nonsense is nobody', async (t) => {
  const { app } = await signedApi(t)
  for (const cookie of [
    '',
    ';;;',
    'millrace_session',
    'millrace_session=',
    `millrace_session=${newToken()}`,
    '\u00ff=',
  ])
    assertProblem(await app.inject({ url: '/stats', headers: { cookie } }), 'unauthorized')
})
