import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClient } from '../../src/client/index.ts'
import { noBrowser, openContext, startDashboard } from './browser.ts'

describe('back and forward in the dashboard', { skip: noBrowser, timeout: 170_000 }, () => {
  it('keep the filters of lists and the span of charts', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    await client.submitBatch([
      { payload: 1, type: 'kept.one' },
      { payload: 2, type: 'left.out', delayMs: 60_000 },
    ])
    const page = await (await openContext(t)).newPage()
    const headed = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
    const filtered = async () => {
      await page.getByText('kept.one').first().waitFor()
      assert.match(page.url(), /status=pending.*type=kept|type=kept.*status=pending/)
      assert.equal(await page.getByRole('row').filter({ hasText: 'left.out' }).count(), 0)
    }
    await page.goto(`${dashboard.url}/?range=7d`)
    await headed('Overview')
    await page.goto(`${dashboard.url}/tasks?status=pending&type=kept.*`)
    await filtered()
    await page.getByRole('link', { name: 'Queues' }).click()
    await headed('Queues')

    await page.goBack()
    await filtered()
    await page.goBack()
    await page.getByRole('button', { name: '7 d', pressed: true }).waitFor()
    await page.goForward()
    await filtered()
    await page.goForward()
    await headed('Queues')
  })
})
