import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/index.ts'
import { type Dashboard, noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'
import { placesOf, visit } from './visits.ts'

const narrow = { width: 320, height: 700 }
const mostTabs = 400

describe('every page of the dashboard', { skip: noBrowser, timeout: 400_000 }, () => {
  it('fits into 320 pixels, whatever things are called', async (t) => {
    const dashboard = await startDashboard(t)
    const context = await openContext(t, { viewport: narrow })
    const look = async () => {
      const page = await context.newPage()
      for (const place of await placesOf(context, dashboard.url)) {
        await visit(page, dashboard.url, place)
        assert.deepEqual(await tooWide(page), [], place.path)
      }
      await page.close()
    }

    await look()
    await fill(dashboard, 'x'.repeat(128))
    await startWorkerBeside(t, dashboard)
    await look()
  })

  it('is reached in all its parts by the Tab key, and shows where the focus is', async (t) => {
    const dashboard = await startDashboard(t)
    await startWorkerBeside(t, dashboard)
    await fill(dashboard, 'mail')
    const context = await openContext(t)
    const page = await context.newPage()
    for (const place of await placesOf(context, dashboard.url)) {
      await visit(page, dashboard.url, place)
      assert.deepEqual(await tabThrough(page), { unreached: [], unseen: [] }, place.path)
    }
  })
})

/** Something on each page, with names as long as they may be. */
async function fill({ api }: Dashboard, name: string): Promise<void> {
  const client = createClient({ url: api.url })
  await client.submitBatch([
    { payload: 'a', queue: name, type: name, key: name },
    { payload: 'b', delayMs: 3_600_000 },
    { payload: 'c' },
  ])
  await client.schedules.put(name, { cron: '0 * * * *', task: { type: name, queue: name, payload: name } })
  await client.pauseQueue(name)
  const worker = { types: [name, 'fails'], queues: [name, 'failing'], host: name, version: name.slice(0, 64) }
  const post = async <Reply>(path: string, body: unknown): Promise<Reply> =>
    JSON.parse(
      (await client.request({ method: 'POST', path, body: JSON.stringify(body), repeatable: true })).text,
    )
  const { id: workerId } = await post<{ id: string }>('/workers', worker)
  await client.submit('fails', name, { queue: 'failing' })
  const claimed = await post<{ tasks: { id: string; attempt: number }[] }>('/workers/claim', {
    workerId,
    wait: 10,
  })
  const error = { name, message: name.repeat(3), stack: `${name}\n    at ${name} (${name}:1:1)` }
  const tasks = claimed.tasks.map(({ id, attempt }) => ({ id, attempt, error, retryable: false }))
  await post('/workers/finish', { workerId, tasks })
}

/** What makes the page itself scroll sideways. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return []
    return [...document.querySelectorAll('main *, header *')]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
      .map((element) => element.outerHTML.slice(0, 120))
      .slice(0, 5)
  })()`)
}

type Tabbed = { unreached: string[]; unseen: string[] }

/** Presses Tab until it begins again. What moves by arrows, such as the rows of a table, is one stop. */
async function tabThrough(page: Page): Promise<Tabbed> {
  await page.evaluate(`
    document.activeElement?.blur()
    globalThis.tabbed = { reached: new Set(), unseen: [] }
  `)
  for (let tabs = 0; tabs < mostTabs; tabs++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate<boolean>(noteFocus)) return page.evaluate<Tabbed>(whatIsMissing)
  }
  throw new Error(`the focus did not come around within ${mostTabs} tabs`)
}

/** Whether it has been here before, or has left the page. */
const noteFocus = `(() => {
  const element = document.activeElement
  if (!element || element === document.body || tabbed.reached.has(element)) return true
  tabbed.reached.add(element)
  const shown = [element, element.parentElement].some((one) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one)
    return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
  })
  if (!shown) tabbed.unseen.push(element.outerHTML.slice(0, 120))
  return false
})()`

const whatIsMissing = `(() => {
  const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]'
  const unreached = [...document.querySelectorAll(wanted)].filter((element) =>
    !tabbed.reached.has(element) && !element.disabled && element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true })
    && !element.matches('[role=row]') && !element.closest('[aria-hidden=true], [inert], [data-base-ui-focus-guard]'))
  return { unreached: unreached.map((element) => element.outerHTML.slice(0, 120)), unseen: tabbed.unseen }
})()`
