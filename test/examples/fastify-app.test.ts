import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildApp } from '../../examples/fastify-app/app.ts'
import { examples, systemWith } from './system.ts'

test('a web application answers with the result, or with where it will be', async (t) => {
  const millrace = await systemWith(t, join(examples, 'fastify-app/tasks.ts'))
  const app = buildApp(millrace)
  t.after(() => app.close())
  const post = (month: string) => app.inject({ method: 'POST', url: `/reports/${month}` })

  const soon = await post('2026-11')
  assert.deepEqual([soon.statusCode, soon.json()], [200, { month: '2026-11', pages: 3 }])

  const later = await post('2000-01')
  assert.equal(later.statusCode, 202)
  const url = String(later.headers.location)
  assert.equal((await post('2000-01')).headers.location, url, 'asked again, it is the same report')
  await millrace.waitFor(url.split('/').at(-1)!)
  assert.deepEqual((await app.inject({ url })).json(), { month: '2000-01', pages: 3 })

  assert.equal((await post('soon')).statusCode, 500)
  const nobody = await app.inject({ url: '/reports/by-task/0199f000-0000-7000-8000-ffffffffffff' })
  assert.equal(nobody.statusCode, 404)
})
