import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/index.ts'
import { freePort } from '../support/ports.ts'
import { startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { noBrowser, openContext, startDashboard } from './browser.ts'

const away = /ERR_CONNECTION|ERR_INCOMPLETE|ERR_FAILED|Failed to load|503/

describe('the dashboard as things happen', { skip: noBrowser, timeout: 170_000 }, () => {
  it('shows in every tab what happens, over one connection that the next tab takes over', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    const context = await openContext(t)
    const streams: Page[] = []
    context.on('request', (request) => {
      if (new URL(request.url()).pathname === '/live') streams.push(request.frame().page())
    })
    const tabs = [await context.newPage(), await context.newPage(), await context.newPage()]
    for (const tab of tabs) {
      await tab.goto(`${dashboard.url}/`)
      await state(tab, /Live/)
    }
    await client.submit('default', 1)
    for (const tab of tabs) await pending(tab, '1')
    assert.equal(streams.length, 1)

    await streams[0]!.close()
    const left = tabs.filter((tab) => !tab.isClosed())
    assert.equal(left.length, 2)
    await until(() => streams.length === 2, { what: 'another tab that connects' })
    await client.submit('default', 2)
    for (const tab of left) await pending(tab, '2')
    assert.equal(streams.length, 2)
  })

  it('says that it is cut off, keeps what it knew, and goes on by itself', async (t) => {
    const PORT = String(await freePort())
    const dashboard = await startDashboard(t, { PORT })
    const client = createClient({ url: dashboard.api.url })
    await client.submit('default', 1)
    const page = await (await openContext(t, { tolerate: away })).newPage()
    await page.goto(`${dashboard.url}/`)
    await state(page, /Live/)
    await pending(page, '1')

    dashboard.api.kill('SIGKILL')
    await dashboard.api.exited
    await state(page, /Reconnecting/)
    await pending(page, '1')
    await startProcess(t, ['api'], { env: { DATABASE_URL: dashboard.databaseUrl, PORT, LOG_LEVEL: 'warn' } })
    await state(page, /Live/)
    await client.submit('default', 2)
    await pending(page, '2')
  })

  it('asks now and then where something in between holds the stream back', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    const context = await openContext(t)
    await context.route('**/live', () => new Promise(() => {}))
    const page = await context.newPage()
    await page.goto(`${dashboard.url}/`)
    await state(page, /Asking every 5 s/)
    await client.submit('default', 1)
    await pending(page, '1')
  })
})

function state(page: Page, text: RegExp): Promise<void> {
  return page.locator('aside').getByRole('status').filter({ hasText: text }).waitFor()
}

function pending(page: Page, n: string): Promise<void> {
  return page.getByRole('link', { name: `Pending ${n}`, exact: false }).waitFor()
}
