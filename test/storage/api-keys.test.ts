import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, isSame, newToken, proofOf } from '../../src/domain/access.ts'
import { StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import { batch } from '../../src/runtime/batch.ts'
import { keyStore } from '../../src/storage/api-keys.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { sessionStore } from '../../src/storage/sessions.ts'
import { keyBook } from '../../src/usecases/key-book.ts'
import { managingKeys } from '../../src/usecases/keys.ts'
import { signingIn } from '../../src/usecases/sessions.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

/** What two api processes have of one database. */
async function twoProcesses(t: TestContext) {
  const url = await testDatabase(t)
  const process = () => {
    const database = openDatabase(url, { connections: 2, statementTimeoutMs: 5_000, plans: 'looks' })
    t.after(() => database.close())
    const keys = keyStore(database)
    const book = keyBook({ keys, sleep: (ms) => sleep(ms) })
    const gather = <In, Out>(run: (items: In[]) => Promise<Out[]>) => batch(run, { maxSize: 500, lanes: 1 })
    return { ...managingKeys({ keys, book }), ...signingIn({ sessions: sessionStore(database), gather }) }
  }
  return { url, one: process(), other: process() }
}

const wish = { name: 'mail', scopes: ['submit', 'read'], expiresInMs: null } as const

it('a key is shown once, and only its digest is stored', async (t) => {
  const { url, one } = await twoProcesses(t)
  const { key, id, ...made } = await one.createKey(wish)
  assert.match(key, new RegExp(`^mr_${id}_[\\w-]{43}$`))
  const rows = await query<{ row: string; digest: Buffer }>(
    url,
    'select k::text as row, digest from millrace.api_keys k',
  )
  assert.equal(rows.length, 1)
  assert.ok(!rows[0]!.row.includes(key.slice(-43)))
  assert.ok(isSame(rows[0]!.digest, digestOf(key)))
  assert.deepEqual(await one.listKeys(), [{ id, ...made }])
  assert.deepEqual(
    { ...made, createdAt: '' },
    {
      name: 'mail',
      scopes: ['submit', 'read'],
      createdAt: '',
      expiresAt: null,
      lastUsedAt: null,
      revokedAt: null,
    },
  )
})

it('every process knows a new key at once, and refuses a revoked one within seconds', async (t) => {
  const { one, other } = await twoProcesses(t)
  await other.findKey('warm')
  const { id } = await one.createKey(wish)
  assert.deepEqual((await other.findKey(id))?.scopes, ['submit', 'read'])
  assert.ok(!(other.findKey(id) instanceof Promise), 'what is known is answered without waiting')

  const revoked = await one.revokeKey(id)
  assert.ok(revoked.revokedAt)
  assert.equal(await one.findKey(id), undefined)
  await until(async () => (await other.findKey(id)) === undefined, {
    what: 'the other process to know',
    deadlineMs: 5_000,
  })
  // Who used it a moment ago may have said so since.
  const { lastUsedAt: _, ...again } = await one.revokeKey(id)
  assert.deepEqual({ ...again, lastUsedAt: null }, { ...revoked, lastUsedAt: null })
  await assert.rejects(
    one.revokeKey('nobody'),
    (error) => error instanceof TaskError && error.code === 'key-not-found',
  )
})

it('a key ends when it expires, and is listed with what became of it', async (t) => {
  const { one, url } = await twoProcesses(t)
  const { id } = await one.createKey({ ...wish, expiresInMs: 300 })
  const lasting = await one.createKey({ ...wish, expiresInMs: 60_000 })
  assert.ok(await one.findKey(id))
  await until(async () => (await one.findKey(id)) === undefined, { what: 'the end of the key' })
  assert.ok(await one.findKey(lasting.id))
  await until(
    async () =>
      (await query(url, 'select from millrace.api_keys where last_used_at is not null')).length === 2,
    { what: 'both uses' },
  )
  const [newest] = await one.listKeys()
  assert.equal(newest?.id, lasting.id)
  assert.equal(Date.parse(newest?.expiresAt ?? '') - Date.parse(newest?.createdAt ?? ''), 60_000)
})

it('uses are noted once a minute at most, and guesses cost few looks', async () => {
  const calls = { live: 0, used: 0 }
  const key = { id: 'a', name: 'a', scopes: [], digest: digestOf('a'), expiresInMs: null }
  const keys = {
    live: async () => {
      calls.live++
      return [key]
    },
    used: async () => void calls.used++,
  }
  const book = keyBook({ keys, sleep: (ms) => sleep(ms) })
  for (let i = 0; i < 100; i++) assert.ok(await book.find('a'))
  assert.deepEqual(calls, { live: 1, used: 1 })
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => book.find(`guess ${i}`)))
  assert.ok(calls.live <= 3, `${calls.live} looks`)
})

it('what is known does for a moment without the database, and no longer', async () => {
  let isAway = false
  const key = { id: 'a', name: 'a', scopes: [], digest: digestOf('a'), expiresInMs: null }
  const live = async () => {
    if (isAway) throw new StoreUnavailableError(new Error('gone'))
    return [key]
  }
  const book = keyBook({ keys: { live, used: async () => {} }, sleep: async () => {} })
  assert.ok(await book.find('a'))
  isAway = true
  assert.ok(await book.find('a'))
  await assert.rejects(async () => book.find('b'), StoreUnavailableError)
  book.forget() // what a revocation does
  await assert.rejects(async () => book.find('a'), StoreUnavailableError)
})

it('a session that one process has opened is known to the other, until it is closed', async (t) => {
  const { one, other, url } = await twoProcesses(t)
  const { id } = await one.createKey(wish)
  const token = await one.openSession({ keyId: id })
  assert.equal((await other.findSession(token))?.keyId, id)
  const root = await one.openSession({ key: 'root' })
  const found = await other.findSession(root)
  assert.ok(found?.proof && isSame(found.proof, proofOf(root, 'root')))

  const rows = await query<{ row: string }>(url, 'select s::text as row from millrace.sessions s')
  for (const secret of [token, root, digestOf('root').toString('hex')])
    assert.ok(!rows.some(({ row }) => row.includes(secret)))

  await one.closeSession(token)
  assert.equal(await one.findSession(token), undefined)
  await until(async () => (await other.findSession(token)) === undefined, {
    what: 'the other to know',
    deadlineMs: 5_000,
  })
  assert.equal(await one.findSession(newToken()), undefined)
})

it('sessions that have ended are nobody’s, and go when somebody signs in', async (t) => {
  const { one, url } = await twoProcesses(t)
  const token = await one.openSession({ key: 'root' })
  await query(url, `update millrace.sessions set expires_at = now() - interval '1 second'`)
  assert.equal(await one.findSession(token), undefined)
  await one.openSession({ key: 'root' })
  assert.equal((await query(url, 'select from millrace.sessions')).length, 1)
})
