import { join } from 'node:path'
import { Command } from 'commander'
import { runningUrl, startEmbedded } from '../src/embedded/index.ts'
import { startProgram } from './program.ts'
import { type PageCall, pageCalls } from './seed/calls.ts'
import { busyness, stampText, takeStamp } from './stamp.ts'

/*
 * How soon the pages of the dashboard have what they show: `npm run bench:answers`, on what `npm run seed` has made.
 */
const program: Command = new Command('answers')
  .description(
    'Asks an api process on DATABASE_URL, or on the embedded database in DATA_DIR, for all that the pages of the dashboard show.',
  )
  .option('--times <number>', 'each call so often', '50')
  .option('--only <words>', 'calls with this in their path')
await program.parseAsync()
const options = program.opts<{ times: string; only?: string }>()

type Took = PageCall & { sorted: number[]; bytes: number }

const dataDir = process.env.DATA_DIR ?? '.millrace'
const running = process.env.DATABASE_URL ?? (await runningUrl(dataDir))
const server = running === undefined ? await startEmbedded({ dataDir }) : undefined
const env = { ...process.env, DATABASE_URL: running ?? server!.url, PORT: '0', LOG_LEVEL: 'warn' }
const api = await startProgram(join(import.meta.dirname, '../src/cli/main.ts'), { args: ['api'], env })
try {
  await measure()
} finally {
  await api.stop()
  await server?.stop()
}

async function measure(): Promise<void> {
  const stamp = takeStamp()
  console.log([stampText(stamp), busyness(stamp)].filter(Boolean).join('\n'))
  const { total } = await ask<{ total: number }>('/stats')
  const calls = (await pageCalls(ask)).filter(({ path }) => path.includes(options.only ?? ''))
  const all: Took[] = []
  for (const call of calls) all.push(await timesOf(call))
  console.log(
    `${total.toLocaleString('en-US')} tasks, each call ${options.times} times, one after the other; milliseconds\n`,
  )
  console.log(tableOf(all))
  const late = all.filter(({ sorted, mostMs }) => quantile(sorted, 0.99) > mostMs)
  console.log(late.length === 0 ? '\nall within their limits' : `\n${late.length} beyond their limits`)
  if (late.length > 0) process.exitCode = 1
}

async function timesOf(call: PageCall): Promise<Took> {
  const took: number[] = []
  let bytes = 0
  for (let n = 0; n < Number(options.times); n++) {
    const fromMs = performance.now()
    bytes = (await textOf(call.path)).length
    took.push(performance.now() - fromMs)
  }
  return { ...call, sorted: took.sort((a, b) => a - b), bytes }
}

async function textOf(path: string): Promise<string> {
  const answer = await fetch(`${api.url}${path}`)
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
  return text
}

async function ask<Reply>(path: string): Promise<Reply> {
  return JSON.parse(await textOf(path))
}

/** Markdown. */
function tableOf(all: readonly Took[]): string {
  const rows = all.map(({ page, path, sorted, bytes, mostMs }) => {
    const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
    const shown = path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}(,\S+)?/g, (_, more) => (more ? '…' : 'ID'))
    return `| ${page} | \`${shown}\` | ${p50.toFixed(1)} | ${p99.toFixed(1)}${p99 > mostMs ? ` > ${mostMs}` : ''} | ${Math.ceil(bytes / 1000)} |`
  })
  return ['| page | call | p50 | p99 | kB |', '| --- | --- | ---: | ---: | ---: |', ...rows].join('\n')
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}
