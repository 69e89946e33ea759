import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'

const rowsOf = (page: Page) => page.getByRole('table', { name: 'Tasks' }).locator('[data-index]')

// One system for all: each of them looks at a queue of its own.
test('the tasks in the dashboard', { skip: noBrowser, timeout: 170_000 }, async (t) => {
  const dashboard = await startDashboard(t)
  const client = createClient({ url: dashboard.api.url })
  await t.test('keeps the filter in the address: back and forward, and what is typed', async (t) => {
    await client.submit('email.send', 1)
    await client.submit('resize', 2, { queue: 'images' })
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/tasks`)
    await rowsOf(page).nth(1).waitFor()

    await page.keyboard.press('/')
    await page.keyboard.type('type:em')
    await page.getByRole('option', { name: 'email.send' }).waitFor()
    await page.keyboard.press('Tab')
    await page.waitForURL(/\?type=email\.send$/)
    await until(async () => (await rowsOf(page).count()) === 1, { what: 'the filtered list' })

    await page.getByRole('link', { name: 'Waiting' }).click()
    await page.waitForURL(/\?status=pending$/)
    assert.equal(await page.getByRole('combobox', { name: 'Filter' }).inputValue(), 'status:pending')
    await page.goBack()
    await page.waitForURL(/\?type=email\.send$/)
    assert.equal(await page.getByRole('combobox', { name: 'Filter' }).inputValue(), 'type:email.send')
    await until(async () => (await rowsOf(page).count()) === 1, { what: 'the list of before' })
    await page.goForward()
    await until(async () => (await rowsOf(page).count()) === 2, { what: 'the list of after' })
  })

  await t.test('says what of a filter it does not understand, and opens an id that is pasted', async (t) => {
    const { id } = await client.submit('email.send', 1)
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/tasks`)
    const box = page.getByRole('combobox', { name: 'Filter' })
    await box.fill('status:failed stauts:x')
    await page.keyboard.press('Enter')
    await page.getByText('“stauts” is not known: status?').waitFor()
    assert.equal(await box.evaluate((input: { selectionStart: number }) => input.selectionStart), 14)
    await box.fill(`the task ${id}`)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /email\.send/ }).waitFor()
  })

  await t.test(
    'lets new rows wait until somebody asks for them, and changes others in their places',
    async (t) => {
      const first = await client.submit('default', 'first', { queue: 'rows' })
      const page = await (await openContext(t)).newPage()
      await page.goto(`${dashboard.url}/tasks?queue=rows`)
      await rowsOf(page).first().waitFor()
      await client.submitBatch([1, 2, 3].map((payload) => ({ payload, queue: 'rows' })))
      const button = page.getByRole('button', { name: 'Show 3 new tasks' })
      await button.waitFor()
      assert.equal(await rowsOf(page).count(), 1)
      await client.cancel(first.id)
      await rowsOf(page).first().getByText('canceled').waitFor()
      await button.click()
      await until(async () => (await rowsOf(page).count()) === 4, { what: 'the new rows' })
      await button.waitFor({ state: 'detached' })
      assert.match((await rowsOf(page).last().textContent()) ?? '', /canceled/)
    },
  )

  await t.test('is followed back through all tasks, and from any time in both directions', async (t) => {
    await client.submitBatch(Array.from({ length: 130 }, () => ({ queue: 'pages', payload: 1 })))
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/tasks?queue=pages&at=2020-01-31T09:00:00Z`)
    await page.getByText('None from then or before').waitFor()
    await page.getByRole('button', { name: 'Show newer ones' }).click()
    await page.getByText('100 shown').waitFor()
    await page.getByRole('button', { name: 'Show newer ones' }).click()
    await page.getByText('130 shown').waitFor()
    await page.getByRole('button', { name: 'Back to the newest' }).click()
    await page.getByText('Newest first · 100 shown').waitFor()
    await rowsOf(page).first().focus()
    await page.keyboard.press('End')
    await page.getByText('130 shown').waitFor()
    await page.getByText('That is all.').waitFor()
  })

  await t.test('acts on the rows that are selected with the keyboard', async (t) => {
    for (const payload of [1, 2, 3]) await client.submit('default', payload, { queue: 'select' })
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/tasks?queue=select`)
    await rowsOf(page).first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.getByText('2 tasks selected').waitFor()
    await page.getByRole('button', { name: 'Cancel 2' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel 2 tasks' }).click()
    await page.getByText('2 tasks are canceled.').waitFor()
    await page.getByRole('button', { name: 'Close' }).last().click()
    const { data } = await client.page({ queue: 'select', status: 'canceled' })
    assert.equal(data.length, 2)

    await rowsOf(page).first().focus()
    await page.getByRole('checkbox', { name: 'Select all rows' }).check()
    await page.getByRole('button', { name: 'Select all that match' }).click()
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete 2 tasks' }).click()
    await page.getByText('2 tasks are deleted.').waitFor()
    const left = await client.page({ queue: 'select' })
    assert.deepEqual(
      left.data.map(({ status }) => status),
      ['pending'],
    )
  })

  await t.test('keeps views in the browser', async (t) => {
    const page = await (await openContext(t)).newPage()
    await page.goto(`${dashboard.url}/tasks?status=failed&age=%3C1h`)
    await page.getByRole('button', { name: 'Save view' }).click()
    await page.getByLabel('Name').fill('Fresh <b>failures</b>')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.goto(`${dashboard.url}/tasks`)
    await page.getByRole('link', { name: 'Fresh <b>failures</b>' }).click()
    await page.waitForURL(/status=failed&age=%3C1h/)
    await page.getByRole('button', { name: /Forget the view/ }).click()
    await page.getByRole('link', { name: /Fresh/ }).waitFor({ state: 'detached' })
  })

  await t.test(
    'shows a task with its numbers as they were written, and submits it again changed',
    async (t) => {
      await startWorkerBeside(t, dashboard)
      const payload = '{"big":12345678901234567890,"far":1e400,"one":1.0}'
      const { text } = await client.request({
        method: 'POST',
        path: '/tasks',
        body: `{"payload":${payload},"queue":"default"}`,
        repeatable: false,
      })
      const { id } = JSON.parse(text)
      const page = await (await openContext(t)).newPage()
      await page.goto(`${dashboard.url}/tasks/${id}`)
      for (const number of ['12345678901234567890', '1e400', '1.0'])
        await page.getByLabel('Payload as JSON').getByText(number, { exact: true }).waitFor()
      await page.getByLabel('What the task did').getByText('Attempt 1').waitFor()
      await page.getByLabel('Result as JSON').waitFor()
      await page.getByLabel('Events').getByText('Attempt 1 completed').waitFor()

      await page.keyboard.press('e')
      const field = page.getByRole('textbox', { name: 'Payload' })
      assert.equal(await field.inputValue(), payload)
      await field.fill('{"big":12345678901234567891,}')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Line 1, column 29: a name in double quotes belongs here').waitFor()
      await field.fill('{"big":12345678901234567891}')
      await page.keyboard.press('Control+Enter')
      await page.getByText('Submitted 1 task').waitFor()
      await page.getByLabel('Payload as JSON').getByText('12345678901234567891', { exact: true }).waitFor()
      assert.equal((await client.page({ type: 'default', queue: 'default' })).data.length, 2)
    },
  )

  await t.test('says why a task does not run, cancels it and makes it pending again', async (t) => {
    const { id } = await client.submit('report', 1, { queue: 'why' })
    const page = await (await openContext(t, { tolerate: /404/ })).newPage()
    await page.goto(`${dashboard.url}/tasks/${id}`)
    await page.getByText('No live worker takes tasks of queue why.').waitFor()
    await page.keyboard.press('x')
    await page.getByRole('button', { name: 'Cancel it' }).click()
    await page.getByRole('button', { name: 'Retry' }).waitFor()
    await page.keyboard.press('r')
    await until(async () => (await client.get(id)).status === 'pending', { what: 'the retried task' })
    await page.goto(`${dashboard.url}/tasks/01a20fa2-0000-7000-8000-000000000000`)
    await page.getByText('There is no task with this id').waitFor()
  })

  await t.test('remembers what was submitted, and submits any number of copies', async (t) => {
    const page = await (await openContext(t, { tolerate: /422/ })).newPage()
    await page.goto(`${dashboard.url}/tasks`)
    await page.getByRole('link', { name: 'New task' }).click()
    await page.getByLabel('Type').fill('no such type!')
    await page.getByLabel('Payload').fill('{"a": 1.0}')
    await page.getByText('More', { exact: true }).click()
    await page.getByLabel('Copies').fill('20')
    await page.getByRole('button', { name: 'Submit 20 tasks' }).click()
    await page.locator('input[aria-invalid=true]').waitFor()
    await page.getByLabel('Type').fill('email.send')
    await page.getByRole('button', { name: 'Submit 20 tasks' }).click()
    await page.waitForURL(/batchId=/)
    const batchId = new URL(page.url()).searchParams.get('batchId')!
    assert.equal((await client.batch(batchId).get()).total, 20)
    await page.goto(`${dashboard.url}/tasks/new`)
    assert.equal(await page.getByLabel('Payload').inputValue(), '{"a": 1.0}')
    assert.equal(await page.getByLabel('Type').inputValue(), 'email.send')
  })

  await t.test('goes with the keyboard alone from a failure to retrying all that failed alike', async (t) => {
    const fails = { type: 'fail-for-good', queue: 'fails', maxAttempts: 1 }
    await client.submitBatch([1, 2, 3].map((n) => ({ ...fails, payload: n })))
    await startWorkerBeside(t, dashboard, { TASKS: 'test/fixtures/tasks.ts', QUEUES: 'fails' })
    await until(async () => (await client.errors()).data[0]?.count === 3, { what: 'the group of failures' })
    const page = await (await openContext(t)).newPage()
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    await page.goto(`${dashboard.url}/tasks?queue=fails`)
    await rowsOf(page).first().getByText('failed').waitFor()
    await press('j', 'Enter')
    await page.getByLabel('Events').getByText('Failed for good').waitFor()
    await press('g', 'e')
    const group = page.getByRole('table', { name: 'Errors' }).locator('[data-index]').first()
    await group.getByText('never again').waitFor()
    await press('j', 'r')
    await page.getByRole('button', { name: 'Retry 3 tasks' }).waitFor()
    await press('Enter')
    await page.getByText('3 tasks are pending again.').waitFor()
    await press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })
})
