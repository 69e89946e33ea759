import assert from 'node:assert/strict'
import { it } from 'node:test'
import { apiWith } from './api-under-test.ts'

it('sends a browser to the dashboard, whose page links to what there is', async (t) => {
  const { app } = await apiWith(t)
  for (const url of ['/', '/dashboard']) {
    const response = await app.inject(url)
    assert.equal(response.statusCode, 302)
    assert.equal(response.headers.location, '/dashboard/')
  }
  const page = await app.inject({ url: '/dashboard/', headers: { host: 'a"<b>.example:81' } })
  assert.match(String(page.headers['content-type']), /^text\/html/)
  assert.match(page.body, /curl -s http:\/\/a&#34;&#60;b&#62;\.example:81\/tasks /)
  for (const link of ['../docs/', '../stats', '../openapi.json'])
    assert.ok(page.body.includes(`href="${link}"`))
  assert.doesNotMatch(page.body, /(?:src|href)="(?:https?:)?\/\//)
})

it('describes every route, and every reference in the description leads somewhere', async (t) => {
  const { app } = await apiWith(t)
  const response = await app.inject('/openapi.json')
  const document = response.json()
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.version, '1.2.3')
  const operations = Object.entries<
    Record<string, { operationId: string; responses: Record<string, unknown> }>
  >(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )
  assert.deepEqual(
    operations.map(({ method, path }) => `${method} ${path}`),
    [
      'post /tasks',
      'get /tasks',
      'post /tasks/batch',
      'get /tasks/{id}',
      'delete /tasks/{id}',
      'post /tasks/{id}/cancel',
      'post /tasks/{id}/retry',
      'get /tasks/{id}/why',
      'get /tasks/{id}/timeline',
      'get /tasks/{id}/events',
      'get /events',
      'get /live',
      'get /stats/history',
      'get /errors',
      'get /batches',
      'get /batches/{id}',
      'post /batches/{id}/cancel',
      'post /batches/{id}/retry',
      'post /bulk-actions',
      'get /bulk-actions',
      'get /bulk-actions/{id}',
      'post /bulk-actions/{id}/start',
      'post /bulk-actions/{id}/abort',
      'post /tasks/import',
      'get /schedules',
      'get /schedules/{name}',
      'put /schedules/{name}',
      'delete /schedules/{name}',
      'post /schedules/{name}/pause',
      'post /schedules/{name}/resume',
      'post /schedules/{name}/run',
      'get /queues',
      'patch /queues/{name}',
      'post /queues/{name}/pause',
      'post /queues/{name}/resume',
      'get /stats',
      'get /workers',
      'post /workers',
      'get /healthz',
      'get /readyz',
      'get /metrics',
      'get /system',
      'post /workers/claim',
      'post /workers/heartbeat',
      'post /workers/finish',
      'delete /workers/{id}',
      'get /whoami',
      'post /session',
      'delete /session',
      'get /keys',
      'post /keys',
      'delete /keys/{id}',
    ],
  )
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const { responses } of operations)
    for (const [status, reply] of Object.entries(responses))
      if (Number(status) >= 400) assert.match(JSON.stringify(reply), /application\/problem\+json/)

  const references = [...response.body.matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g)].map(
    ([, name]) => name!,
  )
  assert.ok(references.length > 20)
  assert.equal(references.length, response.body.split('"$ref"').length - 1)
  for (const name of references) assert.ok(Object.hasOwn(document.components.schemas, name), name)
  assert.deepEqual(document.components.schemas.Submission.required, ['payload'])
  assert.equal(document.components.schemas.Submission.additionalProperties, false)
})

it('serves the reference with everything that it loads, and forbids the browser to load more', async (t) => {
  const { app } = await apiWith(t)
  const page = await app.inject('/docs/')
  assert.equal(page.statusCode, 200)
  assert.match(String(page.headers['content-security-policy']), /default-src 'self'/)
  const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)
  assert.deepEqual(loaded, ['js/scalar.js'])
  assert.equal((await app.inject('/docs/js/scalar.js')).statusCode, 200)
})
