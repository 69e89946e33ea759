import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/index.ts'
import { dashboardFolder } from '../../src/main/dashboard.ts'
import { noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'
import { placesOf, settled, visit } from './visits.ts'

const mostFirstPageBytes = 200_000

describe('the dashboard', { skip: noBrowser, timeout: 400_000 }, () => {
  for (const colorScheme of ['light', 'dark'] as const)
    it(`shows each page, empty and full, ${colorScheme}, without a fault that axe finds`, async (t) => {
      const dashboard = await startDashboard(t)
      const context = await openContext(t, { colorScheme })
      const places = await placesOf(context, dashboard.url)
      const page = await context.newPage()
      const look = async () => {
        for (const place of places) {
          await visit(page, dashboard.url, place)
          assert.deepEqual(await faultsOf(page), [], place.path)
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
