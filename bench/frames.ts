import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { type Browser, chromium, type Page } from 'playwright-core'
import { bringDashboard } from '../src/main/dashboard.ts'
import { chromiumOrFail } from '../test/support/chromium.ts'
import { makeFolder, removeFolder } from '../test/support/folder.ts'
import { millrace } from './contestants/millrace.ts'
import { busyness, stampText, takeStamp } from './stamp.ts'

/*
 * The dashboard while much happens: `npm run bench:frames`. How many frames a second the browser draws, and what an open page
 * costs those who use the API.
 */
const program: Command = new Command('frames')
  .description(
    'Opens pages of the dashboard while tasks are submitted and run, and counts frames; needs a Chromium.',
  )
  .option('--per-second <number>', 'so many tasks', '5000')
  .option('--seconds <number>', 'each page so long', '10')
  .option('--pages <list>', 'which pages', '/,/tasks,/queues')
await program.parseAsync()
const options = program.opts<{ perSecond: string; seconds: string; pages: string }>()
const ms = Number(options.seconds) * 1000
const inOne = 100
const probeEveryMs = 20

const executablePath = chromiumOrFail()

type Figures = { what: string; frames?: Frames; probes: number[]; tasksPerSecond: number }
type Frames = { perSecond: number; longestMs: number }

await bringDashboard()
const folder = makeFolder('frames')
const entry = await millrace.open(folder)
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
try {
  await measure(entry.own!.apiUrl, browser)
} finally {
  await browser.close()
  await entry.close()
  removeFolder(folder)
}

async function measure(url: string, browser: Browser): Promise<void> {
  const stamp = takeStamp()
  console.log([stampText(stamp), busyness(stamp)].filter(Boolean).join('\n'))
  await entry.work(0, { concurrency: 1000, sleepMs: 0 })
  await under(url, 'warming up', () => sleep(ms / 2, undefined))
  const all = [await under(url, 'no page open', () => sleep(ms, undefined))]
  for (const path of options.pages.split(',')) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await page.goto(`${url}/dashboard${path}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    all.push(await under(url, path, () => framesOf(page)))
    await page.close()
  }
  console.log(tableOf(all))
}

/** Load and probes for as long as `work` takes. */
async function under(url: string, what: string, work: () => Promise<Frames | undefined>): Promise<Figures> {
  const end = new AbortController()
  const before = await entry.completed()
  const fromMs = performance.now()
  const probes: number[] = []
  const busy = Promise.all([load(url, end.signal), probe(url, { probes, signal: end.signal })])
  const frames = await work()
  end.abort()
  await busy
  const tasksPerSecond = ((await entry.completed()) - before) / ((performance.now() - fromMs) / 1000)
  return { what, ...(frames && { frames }), probes: probes.sort((a, b) => a - b), tasksPerSecond }
}

/** Each request at its moment, however long those before it take. */
async function load(url: string, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({
    tasks: Array.from({ length: inOne }, () => ({ type: 'noop', payload: 'x'.repeat(98) })),
  })
  const fromMs = performance.now()
  const underWay: Promise<void>[] = []
  while (!signal.aborted) {
    const due = fromMs + (underWay.length * inOne * 1000) / Number(options.perSecond)
    if (due > performance.now()) await sleep(1)
    else underWay.push(post(`${url}/tasks/batch`, body))
  }
  await Promise.all(underWay)
}

/** What somebody else waits who submits a task now and then. */
async function probe(
  url: string,
  { probes, signal }: { probes: number[]; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const fromMs = performance.now()
    await post(`${url}/tasks`, '{"type":"noop","payload":null}')
    probes.push(performance.now() - fromMs)
    await sleep(probeEveryMs)
  }
}

async function post(url: string, body: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`)
}

function framesOf(page: Page): Promise<Frames> {
  return page.evaluate<Frames>(`new Promise((resolve) => {
    const fromMs = performance.now()
    let [frames, lastMs, longestMs] = [0, fromMs, 0]
    requestAnimationFrame(function frame(nowMs) {
      frames += 1
      longestMs = Math.max(longestMs, nowMs - lastMs)
      lastMs = nowMs
      if (nowMs < fromMs + ${ms}) requestAnimationFrame(frame)
      else resolve({ perSecond: frames / ((nowMs - fromMs) / 1000), longestMs })
    })
  })`)
}

function tableOf(all: readonly Figures[]): string {
  const at = (sorted: readonly number[], share: number) =>
    sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(1) ?? '–'
  const rows = all.map(
    ({ what, frames, probes, tasksPerSecond }) =>
      `| ${what} | ${frames?.perSecond.toFixed(1) ?? ''} | ${frames?.longestMs.toFixed(0) ?? ''} | ${Math.round(tasksPerSecond)} | ${at(probes, 0.5)} | ${at(probes, 0.99)} |`,
  )
  const head =
    '| page | frames/s | longest ms | tasks/s | submitting: ms p50 | p99 |\n| --- | ---: | ---: | ---: | ---: | ---: |'
  return [head, ...rows].join('\n')
}
