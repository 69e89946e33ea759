import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createClient } from '../../src/client/index.ts'
import { query } from '../support/postgres.ts'
import { noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'
import { placesOf, visit } from './visits.ts'

const key = 'a-key-of-the-settings'
/** What a page of another origin does not get, and what the browser says about that. */
const refusals = /40[135]|415|CORS|Cross-Origin|ERR_BLOCKED|ERR_FAILED|Refused to|Content Security Policy/

describe('the dashboard is safe to keep open', { skip: noBrowser, timeout: 400_000 }, () => {
  it('beside a page of another origin, which can neither change nor read anything', async (t) => {
    const dashboard = await startDashboard(t, { API_KEYS: key })
    const client = createClient({ url: dashboard.api.url, apiKey: key })
    const { ids } = await client.submitBatch([{ payload: 1, queue: 'q' }, { payload: 2 }])
    await client.schedules.put('nightly', { cron: '0 3 * * *', task: { payload: 1 } })
    const context = await openContext(t, { tolerate: refusals })
    const page = await context.newPage()
    await page.goto(`${dashboard.url}/`)
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    const before = await snapshot(dashboard.databaseUrl)

    // Of the same site, by its name, so that the cookie comes along.
    const other = await context.newPage()
    await other.goto(await attackersPage(t))
    const calls = await callsOf(dashboard.api.url, ids[0]!)
    assert.ok(calls.length > 40, `${calls.length} calls`)
    assert.deepEqual(await other.evaluate(attack, { base: dashboard.api.url, calls }), [])
    assert.deepEqual(await snapshot(dashboard.databaseUrl), before)

    const popup = context.waitForEvent('page')
    await other.evaluate(`open(${JSON.stringify(`${dashboard.url}/`)}, 'x')`)
    const opened = await popup
    await opened.getByRole('heading', { level: 1 }).waitFor()
    assert.equal(await opened.evaluate('opener'), null)
    await other.evaluate(
      `document.body.append(Object.assign(document.createElement('iframe'), { src: ${JSON.stringify(`${dashboard.url}/`)} }))`,
    )
    const frame = other.frames().find((one) => one !== other.mainFrame())
    assert.equal(await frame?.evaluate('document.querySelector("main")').catch(() => null), null)
  })

  it('by the policy of every page of it, unknown ones too', async (t) => {
    const dashboard = await startDashboard(t)
    const places = await placesOf(await openContext(t), dashboard.url)
    for (const path of [
      ...places.map((place) => place.path),
      '/tasks/x',
      '/<script>',
      '/tasks?type=%3Cscript%3E',
    ]) {
      const { headers } = await fetch(`${dashboard.url}${path}`)
      const policy = Object.fromEntries(
        (headers.get('content-security-policy') ?? '')
          .split(/;\s*/)
          .map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1)]),
      )
      assert.deepEqual(policy['default-src'], ["'none'"], path)
      for (const name of ['script-src', 'style-src', 'connect-src'])
        assert.deepEqual(policy[name], ["'self'"], path)
      for (const name of ['base-uri', 'frame-ancestors']) assert.deepEqual(policy[name], ["'none'"], path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
    }
  })

  it('with a key that may only read: no page offers more, and the API refuses it', async (t) => {
    const dashboard = await startDashboard(t, { API_KEYS: key })
    const admin = createClient({ url: dashboard.api.url, apiKey: key })
    const { ids } = await admin.submitBatch([{ payload: 1, queue: 'q' }, { payload: 2 }])
    await admin.schedules.put('nightly', { cron: '0 3 * * *', task: { payload: 1 } })
    const made = await admin.request({
      method: 'POST',
      path: '/keys',
      body: JSON.stringify({ name: 'reader', scopes: ['read'] }),
      repeatable: false,
    })
    const reader: string = JSON.parse(made.text).key
    const before = await snapshot(dashboard.databaseUrl)
    for (const { method, path } of await callsOf(dashboard.api.url, ids[0]!)) {
      if (method === 'GET' || path === '/session') continue
      const { status } = await fetch(`${dashboard.api.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${reader}`, 'content-type': 'application/json' },
        body: '{}',
      })
      assert.equal(status, 403, `${method} ${path}`)
    }
    assert.deepEqual(await snapshot(dashboard.databaseUrl), before)
    await startWorkerBeside(t, dashboard)

    const context = await openContext(t, { tolerate: /401/ })
    const page = await context.newPage()
    await page.goto(`${dashboard.url}/`)
    await page.getByLabel('API key').fill(reader)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    const places = [...(await placesOf(context, dashboard.url)), { path: `/tasks/${ids[0]}`, heading: '' }]
    for (const place of places) {
      await visit(page, dashboard.url, place)
      const buttons = await page
        .locator('main button, main a')
        .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? one.textContent ?? ''))
      const acts = buttons.filter((label) =>
        /^(pause|resume|retry|cancel|delete|new |create|submit|run |limits of|start)/i.test(label),
      )
      // A page of its own keeps its button to stop looking at what happens.
      assert.deepEqual(
        acts.filter((label) => !/^(pause|resume)$/i.test(label)),
        [],
        place.path,
      )
    }
  })
})

type Call = { method: string; path: string }

/** Every call of the API, with what is there put into its path. */
async function callsOf(url: string, taskId: string): Promise<Call[]> {
  const { paths } = JSON.parse(
    await (await fetch(`${url}/openapi.json`, { headers: { authorization: `Bearer ${key}` } })).text(),
  )
  const filled = (path: string) =>
    path.replace('{name}', path.startsWith('/schedules') ? 'nightly' : 'q').replace(/\{\w+\}/g, taskId)
  return Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: filled(path) })),
  )
}

/** All that somebody could want to change. */
async function snapshot(databaseUrl: string): Promise<unknown[]> {
  const tables = ['tasks', 'stopped', 'schedule', 'idempotency_keys', 'batches', 'queues', 'workers']
  const rows = await query(
    databaseUrl,
    tables
      .map(
        (name) =>
          `select '${name}' as name, md5(string_agg(t::text, ',' order by t::text)) from millrace.${name} as t`,
      )
      .join(' union all '),
  )
  return rows
}

async function attackersPage(t: TestContext): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<body>'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Runs in the page of another origin: calls with and without a preflight, and forms. Answers what it could read. */
async function attack({ base, calls }: { base: string; calls: Call[] }): Promise<string[]> {
  const read: string[] = []
  const bodies = ['{}', '{"payload":1}', '{"paused":true}']
  const ask = async (url: string, options: object) => {
    const signal = AbortSignal.timeout(1_000)
    const answer = await fetch(url, { credentials: 'include', signal, ...options }).catch(() => undefined)
    const text = answer?.type === 'opaque' ? '' : await answer?.text().catch(() => '')
    if (text) read.push(`${url}: ${text.slice(0, 80)}`)
  }
  for (const { method, path } of calls) {
    const url = base + path
    if (method === 'GET') await ask(url, {})
    else {
      await ask(url, { method, body: bodies[0], headers: { 'content-type': 'application/json' } })
      for (const body of bodies)
        await ask(url, { method: 'POST', mode: 'no-cors', body, headers: { 'content-type': 'text/plain' } })
    }
  }
  return read
}
