import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { recordingApi } from './api-under-test.ts'

const known =
  '{"payload":{"a":[1.0,"\\u0000"]},"type":"t","queue":"q","priority":"low","delayMs":1,"idempotencyKey":"k"}'
const odd = '{}[],:"\\/019.-+eEtfn\u0000\ufeff\ud800é😀 \n'

/** Bodies that are nearly right: characters changed, doubled, left out; a bit flipped. */
const nearly = fc
  .tuple(
    fc.constantFrom(known, `{"tasks":[${known},${known}]}`),
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(2))),
  )
  .map(([body, changes]) => {
    let text = body
    for (const [place, choice, kind] of changes) {
      const at = place % (text.length + 1)
      const put =
        kind === 2 ? text.slice(at, at + (choice % 9)) : kind === 1 ? '' : odd.charAt(choice % odd.length)
      text = text.slice(0, at) + put + text.slice(kind === 2 ? at : at + 1)
    }
    return Buffer.from(text)
  })
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
const member = fc.tuple(
  fc.constantFrom(
    'payload',
    'type',
    'queue',
    'priority',
    'delayMs',
    'runAt',
    'maxAttempts',
    'timeoutMs',
    'tasks',
    '__proto__',
  ),
  fc.jsonValue(),
)
const members = fc.array(member, { maxLength: 5 })
const objects = members.map((list) =>
  Buffer.from(`{${list.map(([key, value]) => `"${key}":${JSON.stringify(value)}`).join()}}`),
)
const type = fc.oneof(
  { weight: 9, arbitrary: fc.constant('application/json') },
  fc.string({ unit: 'binary-ascii' }),
)

it('never answers 5xx to a body, whatever it is', { timeout: 60_000 }, async (t) => {
  const { post } = await recordingApi(t)
  const body = fc.oneof(nearly, bytes, objects)
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('/tasks', '/tasks/batch'), type, async (body, url, type) => {
      const contentType = type.replaceAll(/[^\x20-\x7e]/g, '')
      const response = await post(body, { 'content-type': contentType }, url)
      assert.ok(response.statusCode < 500, response.body)
      if (response.statusCode >= 400)
        assert.match(String(response.headers['content-type']), /^application\/problem\+json/)
    }),
    { numRuns: 3_000 },
  )
})

it('never answers 5xx to an address, whatever it is', { timeout: 60_000 }, async (t) => {
  const { app } = await recordingApi(t)
  const part = fc.oneof(
    fc.constantFrom(
      'tasks',
      'batch',
      'cancel',
      'retry',
      'stats',
      'docs',
      '',
      '..',
      '%2f',
      '%',
      '%ff',
      'readyz',
    ),
    fc.string({ unit: 'grapheme' }).map(encodeURIComponent),
    fc.uuid(),
  )
  const names = fc.constantFrom(
    'status',
    'limit',
    'cursor',
    'wait',
    'createdAfter',
    'include',
    'batchId',
    '',
    'x',
  )
  const pair = fc.tuple(names, fc.oneof(part, fc.constantFrom('pending', '7', '2030-01-01T00:00:00Z')))
  const url = fc
    .tuple(fc.array(part, { maxLength: 4 }), fc.array(pair, { maxLength: 3 }))
    .map(([path, query]) => `/${path.join('/')}?${query.map((one) => one.join('=')).join('&')}`)
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH')
  await fc.assert(
    fc.asyncProperty(method, url, async (method, url) => {
      const response = await app.inject({ method, url })
      assert.ok(response.statusCode < 500, `${method} ${url}: ${response.body}`)
      if (response.statusCode >= 400)
        assert.match(String(response.headers['content-type']), /^application\/problem\+json/)
    }),
    { numRuns: 2_000 },
  )
})
