import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Program, startProgram } from '../bench/program.ts'
import { kinds } from '../bench/seed/kinds.ts'
import { createClient, type Millrace } from '../src/client/index.ts'
import { startEmbedded } from '../src/embedded/index.ts'
import { bringDashboard } from '../src/main/dashboard.ts'
import { chromiumOrFail } from '../test/support/chromium.ts'
import { makeFolder, removeFolder } from '../test/support/folder.ts'

/*
 * The pictures in docs/images, of a small system that has worked for a day: `npm run screenshots`.
 */
const root = join(import.meta.dirname, '..')
const target = join(root, 'docs/images')
const program = join(root, 'src/cli/main.ts')
const view = { width: 1280, height: 800 }
const quality = 82

const executablePath = chromiumOrFail()

await bringDashboard()
const folder = makeFolder('screenshots')
const server = await startEmbedded({ dataDir: folder })
const running: Program[] = []
try {
  await takeAll(server.url)
} finally {
  for (const one of running.reverse()) await one.stop()
  await server.stop()
  removeFolder(folder)
}

async function takeAll(databaseUrl: string): Promise<void> {
  const seed = ['--tasks', '180000', '--days', '1', '--pending', '0', '--scheduled', '240']
  const env = { ...process.env, DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'warn' }
  execFileSync(process.execPath, [join(root, 'bench/seed.ts'), ...seed], { env, stdio: 'inherit' })
  const api = await startProgram(program, { args: ['api'], env })
  running.push(api)
  const queues = [...new Set(kinds.map(({ queue }) => queue))].join()
  for (const concurrency of [40, 24])
    running.push(
      await startProgram(program, {
        args: ['worker'],
        env: {
          ...env,
          QUEUES: queues,
          CONCURRENCY: String(concurrency),
          TASKS: join(import.meta.dirname, 'screenshots/tasks.ts'),
        },
      }),
    )
  const client = createClient({ url: api.url })
  const end = new AbortController()
  const busy = keepBusy(client, end.signal)
  const id = await storyOf(client)
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    await take(browser, `${api.url}/dashboard/?range=24h`, { name: 'overview', colorScheme: 'light' })
    await take(browser, `${api.url}/dashboard/tasks?status=failed,processing,scheduled`, {
      name: 'tasks',
      colorScheme: 'dark',
    })
    await take(browser, `${api.url}/dashboard/tasks/${id}`, { name: 'task', colorScheme: 'light' })
    await take(browser, `${api.url}/dashboard/errors`, { name: 'errors', colorScheme: 'light' })
  } finally {
    await browser.close()
    end.abort()
    await busy
  }
}

/** As much as the day before had at its busiest. */
async function keepBusy(client: Millrace, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const tasks = Array.from({ length: 12 }, () => {
      const { type, queue, payload } = kindBy(Math.random())
      return {
        type,
        queue,
        payload: JSON.parse(payload.replaceAll('{n}', String(Math.floor(Math.random() * 9_000)))),
      }
    })
    await client.submitBatch(tasks)
    await sleep(400)
  }
}

function kindBy(place: number) {
  let below = 0
  for (const kind of kinds) {
    below += kind.share
    if (place < below) return kind
  }
  return kinds[0]!
}

/** A task that failed twice and then went well. Answers its id. */
async function storyOf(client: Millrace): Promise<string> {
  const payload = {
    report: 'revenue',
    month: '2026-10',
    account: 4_711,
    pages: 24,
    format: { paper: 'A4', locale: 'en-US' },
  }
  const { id } = await client.submit('report.export', payload, {
    queue: 'reports',
    key: 'account-4711',
    idempotencyKey: 'revenue-4711-2026-10',
  })
  await client.wait(id, { timeoutMs: 60_000 })
  return id
}

type Picture = { name: string; colorScheme: 'light' | 'dark' }

async function take(browser: Browser, url: string, { name, colorScheme }: Picture): Promise<void> {
  const page = await browser.newPage({
    viewport: view,
    colorScheme,
    deviceScaleFactor: 2,
    locale: 'en-US',
    timezoneId: 'UTC',
  })
  await page.goto(url)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.getByText('Reading…').waitFor({ state: 'detached' })
  // Charts and numbers come with the first things that happen.
  await sleep(4_000)
  await write(page, name)
  await page.close()
}

/** WebP is a third of the size of PNG. */
async function write(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality })
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, `${name}.webp`), Buffer.from(data, 'base64'))
}
