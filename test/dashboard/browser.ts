import { after, type TestContext } from 'node:test'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'
import { bringDashboard } from '../../src/main/dashboard.ts'
import { chromiumPath } from '../support/chromium.ts'
import { testDatabase } from '../support/postgres.ts'
import { startProcess, type TestProcess } from '../support/process.ts'

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
]

/** For the option `skip` of a test: false where there is a browser, and otherwise how to get one. */
export const noBrowser =
  chromiumPath === undefined &&
  'no Chromium: install it (Debian: apt-get install chromium) or name one in the variable CHROMIUM'

/** A real api process with the built page on a database of its own. */
export type Dashboard = { api: TestProcess; databaseUrl: string; url: string }

export async function startDashboard(t: TestContext, env: Record<string, string> = {}): Promise<Dashboard> {
  const built = await bringDashboard()
  // Before the processes end, which the pages would notice.
  t.after(() => closeContexts(t))
  if (built.startsWith('not')) throw new Error(`the dashboard is ${built}`)
  const databaseUrl = env.DATABASE_URL ?? (await testDatabase(t))
  const api = await startProcess(t, ['api'], {
    env: { DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'warn', ...env },
  })
  return { api, databaseUrl, url: `${api.url}/dashboard` }
}

/** A worker beside it. Without `TASKS` it runs the examples. */
export function startWorkerBeside(
  t: TestContext,
  { databaseUrl }: Dashboard,
  env: Record<string, string> = {},
) {
  return startProcess(t, ['worker'], { env: { DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', ...env } })
}

export type Surroundings = BrowserContextOptions & {
  /** Complaints of the browser that belong to the test, such as failing requests while the api is down. */
  tolerate?: RegExp
}

let launched: Promise<Browser> | undefined

/**
 * A browser of its own for a test. The test fails at its end if a page said anything on its console, broke its policy, threw,
 * or asked for something that is not on this machine.
 */
export async function openContext(t: TestContext, options: Surroundings = {}): Promise<BrowserContext> {
  const { tolerate, ...rest } = options
  launched ??= chromium.launch({ executablePath: chromiumPath ?? '', args: quiet })
  const browser = await launched
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...rest })
  const complaints: string[] = []
  const complain = (what: string) => tolerate?.test(what) || complaints.push(what)
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      complain(`console: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => complain(`threw: ${error.error().stack}`))
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (/^(http|ws)/.test(protocol) && !['127.0.0.1', 'localhost'].includes(hostname))
      complain(`asked for ${request.url()}`)
  })
  const own = { close: () => context.close(), complaints }
  opened.set(t, [...(opened.get(t) ?? []), own])
  t.after(() => closeContexts(t))
  return context
}

type Opened = { close(): Promise<void>; complaints: string[] }

const opened = new WeakMap<TestContext, Opened[]>()

async function closeContexts(t: TestContext): Promise<void> {
  const contexts = opened.get(t) ?? []
  opened.delete(t)
  const complaints = contexts.flatMap((context) => context.complaints.splice(0))
  for (const { close } of contexts) await close()
  if (complaints.length > 0) throw new Error(`the browser complained:\n${complaints.join('\n')}`)
}

after(async () => (await launched)?.close())
