import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/index.ts'
import { dashboardFolder } from '../../src/main/dashboard.ts'
import { noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'

/** Addresses of the pages, and the heading of each. */
const pages = {
  '/': 'Overview',
  '/tasks': 'Tasks',
  '/queues': 'Queues',
  '/workers': 'Workers',
  '/schedules': 'Schedules',
  '/batches': 'Batches',
}
const mostFirstPageBytes = 200_000

describe('the dashboard', { skip: noBrowser, timeout: 170_000 }, () => {
  it('shows each page, empty and full, light and dark, without a fault that axe finds', async (t) => {
    const dashboard = await startDashboard(t)
    const light = await openContext(t, { colorScheme: 'light' })
    const dark = await openContext(t, { colorScheme: 'dark' })
    const look = async () => {
      for (const context of [light, dark])
        for (const [path, heading] of Object.entries(pages)) {
          const page = await context.newPage()
          await page.goto(`${dashboard.url}${path}`)
          await page.getByRole('heading', { level: 1, name: heading }).waitFor()
          await settled(page)
          assert.deepEqual(await faultsOf(page), [], path)
          await page.close()
        }
    }

    await look()
    await startWorkerBeside(t, dashboard)
    const client = createClient({ url: dashboard.api.url })
    await client.submitBatch([{ payload: 'a' }, { payload: 'b', delayMs: 60_000 }])
    await client.schedules.put('hourly', { cron: '0 * * * *', task: { payload: 1 } })
    await look()
  })

  it('needs no more than 200 kB to show its first page', async (t) => {
    const dashboard = await startDashboard(t)
    const context = await openContext(t)
    const page = await context.newPage()
    const files = new Set<string>()
    page.on('response', (response) => {
      const { pathname } = new URL(response.url())
      if (pathname.startsWith('/dashboard/')) files.add(pathname.slice('/dashboard/'.length) || 'index.html')
    })
    await page.goto(`${dashboard.url}/`)
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await settled(page)
    await page.locator('.u-over').first().waitFor()

    const sizes = [...files].map((file) => readFileSync(join(dashboardFolder, `${file}.gz`)).length)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    t.diagnostic(`${(total / 1000).toFixed(1)} kB gzip in ${files.size} files`)
    assert.ok(files.size > 3)
    assert.ok(total <= mostFirstPageBytes, `${total} bytes`)
  })
})

/** What the page asked for has come. */
async function settled(page: Page): Promise<void> {
  await page.locator('aside').getByRole('status').filter({ hasText: 'Live' }).waitFor()
  await page.getByText('Reading…').waitFor({ state: 'detached' })
}

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const { violations } = (await page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(tags)} })` as string,
  )) as axe.AxeResults
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map(({ html }) => html)
        .join(' | ')
        .slice(0, 400)}`,
  )
}
