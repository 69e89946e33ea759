import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { pino } from 'pino'
import { buildApi } from '../../src/api/index.ts'
import { testFolder } from '../support/folder.ts'
import { useCasesWith } from './api-under-test.ts'
import { assertProblem } from './problem-check.ts'

const html = '<!doctype html><title>built</title>'

it('serves the built page, compressed as asked, and its own addresses with it', async (t) => {
  const app = await apiWithPage(t)
  const page = await app.inject('/dashboard/')
  assert.equal(page.body, html)
  assert.equal(page.headers['cache-control'], 'no-cache')
  assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; script-src 'self';/)
  assert.equal((await app.inject('/dashboard/tasks/123')).body, html)
  const head = await app.inject({ method: 'HEAD', url: '/dashboard/' })
  assert.equal(head.statusCode, 200)

  const encodingOf = async (accepted: string) => {
    const headers = { 'accept-encoding': accepted }
    return (await app.inject({ url: '/dashboard/app.js', headers })).headers['content-encoding']
  }
  assert.equal(await encodingOf('gzip, deflate, br'), 'br')
  assert.equal(await encodingOf('gzip'), 'gzip')
  assert.equal(await encodingOf('br;q=0, gzip;q=0.5'), 'gzip')
  assert.equal(await encodingOf('identity'), undefined)
})

it('answers 304 for what the browser has, and lets it keep files whose names tell what is in them', async (t) => {
  const app = await apiWithPage(t)
  const { etag } = (await app.inject('/dashboard/')).headers
  const again = await app.inject({ url: '/dashboard/', headers: { 'if-none-match': String(etag) } })
  assert.equal(again.statusCode, 304)
  assert.equal(again.body, '')
  assert.match(String((await app.inject('/dashboard/assets/x-1.js')).headers['cache-control']), /immutable/)
})

it('hands out what was built and nothing else', async (t) => {
  const app = await apiWithPage(t)
  for (const path of ['assets/none.js', 'assets/../../package.json', 'assets/%2e%2e/%2e%2e/package.json'])
    assertProblem(await app.inject(`/dashboard/${path}`), 'route-not-found')
  for (const path of ['..%2f..%2fpackage.json', '.built-from', 'app.js.gz', '%00'])
    assert.equal((await app.inject(`/dashboard/${path}`)).body, html)
  assertProblem(await app.inject({ method: 'POST', url: '/dashboard/' }), 'method-not-allowed')
})

async function apiWithPage(t: TestContext) {
  const folder = testFolder(t)
  mkdirSync(join(folder, 'assets'))
  const files = {
    'index.html': html,
    'app.js': 'x',
    'app.js.gz': 'gz',
    'app.js.br': 'br',
    '.built-from': '1',
  }
  for (const [name, text] of Object.entries({ ...files, 'assets/x-1.js': 'y' }))
    writeFileSync(join(folder, name), text)
  const app = await buildApi({
    useCases: useCasesWith({}),
    apiKeys: [],
    log: pino({ level: 'silent' }),
    version: '1.2.3',
    dashboardFolder: folder,
  })
  t.after(() => app.close())
  return app
}
