import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { it } from 'node:test'
import { chromium } from 'playwright-core'
import { apiWith } from './api-under-test.ts'

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = browsers.find((path) => existsSync(path))
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
]

it('shows the reference in a browser, and loads nothing from elsewhere', {
  skip: executablePath ? false : 'no Chromium on this machine',
}, async (t) => {
  const { app } = await apiWith(t)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await chromium.launch({ executablePath: executablePath ?? '', args: quiet })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const elsewhere: string[] = []
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (/^(http|ws)/.test(protocol) && origin !== address) elsewhere.push(request.url())
  })

  await page.goto(`${address}/docs`)
  await page.getByText('/tasks/batch').first().waitFor()
  await page.getByText('/readyz').first().waitFor()

  assert.deepEqual(elsewhere, [])
})
