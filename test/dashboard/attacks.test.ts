import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { createClient, type Millrace } from '../../src/client/index.ts'
import { isCallbackUrl } from '../../src/domain/callback.ts'
import { attacks, withoutControls } from '../fixtures/attacks.ts'
import { until } from '../support/until.ts'
import { type Dashboard, noBrowser, openContext, startDashboard, startWorkerBeside } from './browser.ts'
import { placesOf, visit } from './visits.ts'

/** Names within the rules that mean something elsewhere. */
const names = [
  '__proto__',
  'constructor',
  'javascript:alert',
  '//evil.example',
  '..',
  '../../tasks',
  'a'.repeat(128),
]
const handlers = join(import.meta.dirname, '../fixtures/attacking-tasks.ts')

describe('hostile text in the dashboard', { skip: noBrowser, timeout: 400_000 }, () => {
  it('is text on every page, and on that of every task, whoever wrote it', async (t) => {
    const dashboard = await startDashboard(t)
    const client = await plant(t, dashboard)
    const context = await watchedContext(t)
    const page = await context.newPage()

    for (const place of await placesOf(context, dashboard.url)) {
      await visit(page, dashboard.url, place)
      assert.deepEqual(await harmIn(page), [], place.path)
    }
    await visit(page, dashboard.url, { path: '/workers', heading: 'Workers' })
    await page.getByText('<script>alert(1)</script>', { exact: false }).first().waitFor()

    for (const id of await planted(client)) {
      // From page to page as links do it: to load it all anew would take a second each.
      await page.evaluate(`history.pushState({}, '', '/dashboard/tasks/${id}')`)
      await page.getByRole('heading', { level: 1 }).getByText(id).waitFor()
      await page.getByText('Reading…').waitFor({ state: 'detached' })
      assert.deepEqual(await harmIn(page), [], id)
    }
  })
})

/** Every attack in every field that somebody outside chooses. */
async function plant(t: TestContext, dashboard: Dashboard): Promise<Millrace> {
  const client = createClient({ url: dashboard.api.url })
  await startWorkerBeside(t, dashboard, { TASKS: handlers })
  const keyed = (type: string) => (payload: string, at: number) => ({
    type,
    payload,
    key: withoutControls(payload, 255),
    idempotencyKey: `${withoutControls(payload, 200)} ${type} ${at}`,
  })
  for (const type of ['attack.completes', 'attack.fails', 'attack.tries-again'])
    await client.submitBatch(attacks.map(keyed(type)))
  await client.submit('attack.completes', Object.fromEntries(attacks.map((attack) => [attack, [attack]])))
  await client.submitBatch(
    attacks.map((payload) => ({ type: 'nobody', payload, callbackUrl: callbackOf(payload) })),
  )
  for (const name of names) await client.submit(name, name, { queue: name })
  for (const [at, attack] of attacks.entries()) {
    const worker = {
      types: names,
      queues: names,
      host: withoutControls(attack, 255),
      version: withoutControls(attack, 64),
    }
    await client.request({ method: 'POST', path: '/workers', body: JSON.stringify(worker), repeatable: true })
    if (at % 10 === 0)
      await client.schedules.put(`s${at}`, {
        cron: '0 0 1 1 *',
        task: { payload: attacks.slice(at, at + 10) },
      })
  }
  for (const [at, name] of names.entries())
    if (/^\w+$/.test(name))
      await client.schedules.put(name, {
        cron: '0 0 1 1 *',
        task: { type: name, queue: names[at]!, payload: 1 },
      })
  for (const status of ['failed', 'completed'] as const)
    await until(async () => (await client.stats()).counts[status] >= attacks.length, {
      what: `the ${status} attacks`,
      deadlineMs: 60_000,
    })
  return client
}

/** A task of every attack that has failed, and some that have not. */
async function planted(client: Millrace): Promise<string[]> {
  const ids: string[] = []
  for await (const { id, type } of client.list({ type: 'attack.*' }))
    if (type === 'attack.fails' || ids.length % 8 === 0) ids.push(id)
  assert.ok(ids.length >= attacks.length)
  return ids
}

/** Nothing answers there, and the tasks never end. */
function callbackOf(attack: string): string {
  const raw = `http://127.0.0.1:1024/?${withoutControls(attack, 1_000).replaceAll(/[\s\\]/g, '')}`
  return isCallbackUrl(raw)
    ? raw
    : `http://127.0.0.1:1024/?${encodeURIComponent(withoutControls(attack, 200))}`
}

/** A context that notices what attacks want to do. The high view has every row of a table in it. */
async function watchedContext(t: TestContext): Promise<BrowserContext> {
  const context = await openContext(t, { viewport: { width: 1280, height: 12_000 } })
  await context.addInitScript(`
    globalThis.struck = []
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open'])
      globalThis[name] = (...what) => { struck.push(name + ': ' + what); return null }
    addEventListener('securitypolicyviolation', (event) => struck.push('policy: ' + event.violatedDirective))
  `)
  return context
}

/** What an attack has reached, if anything: calls, elements and attributes that the page does not have of its own. */
function harmIn(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const harm = [...struck]
    if ('polluted' in {}) harm.push('prototype')
    const own = (url) => new URL(url, location.href).origin === location.origin || /^(blob|data:image)/.test(url)
    for (const element of document.querySelectorAll('*')) {
      const tag = element.localName
      if (/^(iframe|frame|frameset|object|embed|applet|base|math|template|marquee|video|audio|x|portal)$/.test(tag)) harm.push(tag)
      if (tag === 'script' && !own(element.src || 'about:blank')) harm.push('script')
      for (const { name, value } of element.attributes) {
        if (/^on|^srcdoc$|^formaction$/.test(name)) harm.push(tag + ' ' + name)
        if (/^(href|src|srcset|action|poster|background|xlink:href)$/.test(name) && !own(value)) harm.push(tag + ' ' + name + '=' + value)
      }
    }
    return harm
  })()`)
}
