import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { builtClient } from './built-client.ts'
import { asExpected } from './everything.ts'
import { fakeMillrace } from './fake-millrace.ts'

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = browsers.find((path) => existsSync(path))
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
]

const tries =
  "const run = async () => (await import('/everything.js')).tryAll(await import('/client/index.js'), location.origin)"
const files: Record<string, [string, string]> = {
  '/page': ['text/html', '<!doctype html><title>page</title>'],
  '/everything.js': [
    'text/javascript',
    stripTypeScriptTypes(readFileSync(`${import.meta.dirname}/everything.ts`, 'utf8')),
  ],
  '/worker.js': ['text/javascript', `${tries}\npostMessage(await run())`],
}

test('the client works in a page and in a worker of a browser', {
  skip: executablePath ? false : 'no Chromium on this machine',
}, async (t) => {
  const fake = await fakeMillrace({ finishes: true })
  t.after(() => fake.close())
  const browser = await chromium.launch({ executablePath: executablePath ?? '', args: quiet })
  t.after(() => browser.close())
  const context = await browser.newContext()
  const client = builtClient(t)
  await context.route(/\/(page|everything\.js|worker\.js|client\/.*)$/, (route) => {
    const { pathname } = new URL(route.request().url())
    const [contentType, body] = files[pathname] ?? [
      'text/javascript',
      client.get(pathname.replace('/client/', '')),
    ]
    return route.fulfill(body === undefined ? { status: 404 } : { contentType, body })
  })
  const page = await context.newPage()
  await page.goto(`${fake.url}/page`)

  assert.deepEqual(await page.evaluate(`(async () => { ${tries}; return run() })()`), asExpected)

  fake.tasks.clear()
  const inWorker = `new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js', { type: 'module' })
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message))
  })`
  assert.deepEqual(await page.evaluate(inWorker), asExpected)
})
