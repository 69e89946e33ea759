import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClient } from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'

describe('what can be done in the dashboard', { skip: noBrowser, timeout: 170_000 }, () => {
  it('pauses a queue, resumes it and limits it', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    await client.submit('default', 1, { queue: 'crawl' })
    const page = await (await openContext(t)).newPage()
    const crawl = async () => (await client.queues()).find(({ name }) => name === 'crawl')

    await page.goto(`${dashboard.url}/queues`)
    await page.getByRole('button', { name: 'Pause crawl' }).click()
    await page.getByText('crawl (paused)').waitFor()
    assert.equal((await crawl())?.paused, true)
    await page.getByRole('button', { name: 'Resume crawl' }).click()
    await until(async () => (await crawl())?.paused === false, { what: 'the queue resumed' })

    await page.getByRole('button', { name: 'Limits of crawl' }).click()
    await page.getByLabel('Run at once').first().fill('5')
    await page.getByLabel('Start in a second').last().fill('many')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('“many” is no number').waitFor()
    await page.getByLabel('Start in a second').last().fill('0.5')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('5 at once, 0.5/s a key').waitFor()
    assert.deepEqual(
      [(await crawl())?.concurrency, (await crawl())?.ratePerSecond, (await crawl())?.keyRatePerSecond],
      [5, null, 0.5],
    )
  })

  it('makes, changes, pauses, runs and deletes a schedule, and leaves its payload as it is written', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    const page = await (await openContext(t, { tolerate: /422/ })).newPage()
    const payloadOf = async (name: string) =>
      /"payload":(.*?)\},"paused|"payload":(.*?)\}/.exec(
        (await client.request({ path: `/schedules/${name}`, repeatable: true })).text,
      )?.[0]

    await page.goto(`${dashboard.url}/schedules`)
    await page.getByRole('button', { name: 'New schedule' }).click()
    await page.getByLabel('Name').fill('report')
    await page.getByLabel('Payload').fill('[1.0, 12345678901234567890]')
    await page.getByLabel('Cron expression').fill('nonsense')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.locator('[aria-invalid=true]').waitFor()
    await page.getByLabel('Cron expression').fill('0 3 * * *')
    await page.getByRole('button', { name: 'Create' }).click()
    const row = page.getByRole('row').filter({ hasText: 'report' })
    await row.waitFor()

    await row.getByText('report').click()
    await page.getByLabel('Cron expression').fill('30 3 * * *')
    await page.getByRole('button', { name: 'Save' }).click()
    await row.getByText('30 3 * * *').waitFor()
    assert.match((await payloadOf('report')) ?? '', /\[1\.0, 12345678901234567890\]/)

    await page.getByRole('button', { name: 'Pause report' }).click()
    await row.getByText('report (paused)').waitFor()
    await page.getByRole('button', { name: 'Run report now' }).click()
    await until(async () => (await client.page()).data.length === 1, { what: 'the task of the schedule' })
    await page.getByRole('button', { name: 'Delete report' }).click()
    await page.getByRole('button', { name: 'Delete it' }).click()
    await page.getByText('No schedules yet').waitFor()
    assert.deepEqual((await client.schedules.list()).data, [])
  })

  it('is used with the keyboard alone: from page to page, by commands, and the focus comes back', async (t) => {
    const dashboard = await startDashboard(t)
    const page = await (await openContext(t)).newPage()
    const headed = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
    await page.goto(`${dashboard.url}/`)
    await headed('Overview')

    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the page')
    await page.keyboard.press('g')
    await page.keyboard.press('q')
    await headed('Queues')
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Queues')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Go to').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Queues')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search and commands' }).waitFor()
    await page.keyboard.type('work')
    await page.keyboard.press('Enter')
    await headed('Workers')
    await page.goBack()
    await headed('Queues')
  })

  it('looks closer at a part of a chart that is dragged over, and goes back', async (t) => {
    const dashboard = await startDashboard(t)
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/`)
    const chart = page.locator('figure', { hasText: 'Throughput' }).locator('.u-over')
    const box = await until(() => chart.boundingBox(), { what: 'the chart' })
    const y = box.y + box.height / 2
    await page.mouse.move(box.x + box.width * 0.3, y)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 5 })
    await page.mouse.up()

    await page.waitForURL(/from=.*to=/)
    const { searchParams } = new URL(page.url())
    const spanMs = Date.parse(searchParams.get('to')!) - Date.parse(searchParams.get('from')!)
    assert.ok(spanMs > 15 * 60_000 && spanMs < 21 * 60_000, `${spanMs}`)
    await page.goBack()
    await page.getByRole('button', { name: '1 h', pressed: true }).waitFor()
    await page.getByRole('button', { name: '7 d' }).click()
    await page.waitForURL(/range=7d/)
  })

  it('counts what a bulk action is for, and does it when the number was typed', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    await client.submitBatch(Array.from({ length: 1_200 }, () => ({ payload: 1, queue: 'nobody' })))
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/bulk-actions`)
    await page.getByRole('button', { name: 'New bulk action' }).click()
    await page.getByLabel('Action', { exact: true }).selectOption('cancel')
    await page.getByLabel('Tasks', { exact: true }).fill('status:pending queue:nobody')
    await page.getByRole('button', { name: 'Count them' }).click()
    await page.getByRole('button', { name: 'Start: cancel' }).click()
    const doIt = page.getByRole('button', { name: 'Cancel 1,200 tasks' })
    assert.ok(await doIt.isDisabled())
    await page.getByLabel('Type 1,200 to go on').fill('1200')
    await doIt.click()
    await page.getByRole('row').filter({ hasText: 'done' }).getByText('1,200 / 1,200').waitFor()
    assert.equal((await client.stats()).counts.canceled, 1_200)
  })

  it('retries what fails alike from the overview', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    const worker = await startWorkerBeside(t, dashboard)
    await client.submitBatch([{ type: 'flaky', payload: 1, maxAttempts: 1 }])
    await until(async () => (await client.errors()).data.length === 1, { what: 'a group of failures' })
    worker.kill('SIGTERM')
    await worker.exited
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/`)
    await page.getByRole('button', { name: 'Retry: ' }).click()
    await page.getByRole('button', { name: 'Retry 1 task' }).click()
    await until(async () => (await client.stats()).counts.pending === 1, { what: 'the task pending again' })
  })

  it('submits a thousand example tasks where there are none', async (t) => {
    const dashboard = await startDashboard(t)
    const client = createClient({ url: dashboard.api.url })
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/`)
    await page.getByRole('button', { name: 'Submit 1,000 example tasks' }).click()
    await page.getByText('Submitted 1,000 example tasks').waitFor()
    assert.equal((await client.stats()).total, 1_000)
  })

  it('asks for a key where the API wants one, stays signed in, and signs out', async (t) => {
    const dashboard = await startDashboard(t, { API_KEYS: 'right-key' })
    const context = await openContext(t, { tolerate: /401/ })
    const page = await context.newPage()
    await page.goto(`${dashboard.url}/queues`)
    await page.getByLabel('API key').fill('wrong-key')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('the API key is not a known one').waitFor()
    await page.getByLabel('API key').fill('right-key')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('No queues yet').waitFor()
    await page.reload()
    await page.getByText('No queues yet').waitFor()
    assert.equal(await page.evaluate('document.cookie'), '')
    const other = await context.newPage()
    await other.goto(`${dashboard.url}/`)
    await other.locator('aside').getByRole('status').filter({ hasText: 'Live' }).waitFor()

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('API key').waitFor()
    await page.reload()
    await page.getByLabel('API key').waitFor()
  })

  it('offers nothing that the key may not do', async (t) => {
    const dashboard = await startDashboard(t, { API_KEYS: 'all-rights' })
    const client = createClient({ url: dashboard.api.url, apiKey: 'all-rights' })
    await client.submitBatch([{ payload: 1 }])
    await client.schedules.put('hourly', { cron: '0 * * * *', task: { payload: 1 } })
    const { key } = await client.keys.create({ name: 'onlooker', scopes: ['read'] })
    const page = await (await openContext(t, { tolerate: /401/ })).newPage()
    await page.goto(`${dashboard.url}/queues`)
    await page.getByLabel('API key').fill(key)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('onlooker').first().waitFor()

    for (const path of ['queues', 'schedules', 'batches']) {
      await page.goto(`${dashboard.url}/${path}`)
      await page.getByRole('row').nth(1).waitFor()
      assert.equal(await page.locator('main').getByRole('button').count(), 0, path)
    }
  })
})
