import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { migrate } from '../src/main/migrate.ts'
import { removeFolder } from '../test/support/folder.ts'
import { memoryBytes } from './cost.ts'
import { openPostgres } from './servers.ts'

// Importing a file: how many lines a second are stored, by the route and by the command, with idempotency keys and
// without, and how much memory the processes have meanwhile. `node bench/import-program.ts [lines]`

const lines = Number(process.argv[2] ?? 200_000)
const program = join(import.meta.dirname, '../src/cli/main.ts')
const lookEveryMs = 250

const folder = join(tmpdir(), `millrace-import-${process.pid}`)
mkdirSync(folder, { recursive: true })
const postgres = await openPostgres(join(folder, 'data'))
const env = { ...process.env, DATABASE_URL: postgres.url, PORT: '0', LOG_LEVEL: 'warn' }
try {
  await migrate(postgres.url)
  const { child: api, url } = await startApi()
  console.log(`${lines} lines each`)
  for (const way of ['route', 'command'] as const) {
    for (const keyed of [false, true]) {
      const path = await aFile(way, keyed)
      const run = way === 'route' ? byRoute(url, path) : byCommand(url, path)
      await report(`${way}${keyed ? ', with keys' : ''}`, { api, ...run })
    }
  }
  api.kill()
  await once(api, 'exit')
} finally {
  await postgres.stop()
  removeFolder(folder)
}

async function startApi(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program, 'api'], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  return { child, url }
}

async function aFile(way: string, keyed: boolean): Promise<string> {
  const path = join(folder, `${way}-${keyed}.ndjson`)
  const text = 'x'.repeat(80)
  function* rows() {
    for (let n = 0; n < lines; n++) {
      const key = keyed ? `,"idempotencyKey":"${way} ${n}"` : ''
      yield `{"type":"noop","payload":{"n":${n},"text":"${text}"}${key}}\n`
    }
  }
  await pipeline(Readable.from(rows()), createWriteStream(path))
  return path
}

type Run = { child?: ChildProcess; done: Promise<unknown> }

function byRoute(url: string, path: string): Run {
  const sent = request(`${url}/tasks/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  const done = once(sent, 'response').then(async ([response]) => {
    let answers = 0
    for await (const chunk of response)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) answers++
    if (answers !== lines) throw new Error(`${answers} of ${lines} lines were answered`)
  })
  return { done: Promise.all([pipeline(createReadStream(path), sent), done]) }
}

function byCommand(url: string, path: string): Run {
  const args = [program, 'submit', '--file', path, '-o', 'table', '--url', url]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'ignore'] })
  const done = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`the command ended with ${code}`)
  })
  return { child, done }
}

async function report(name: string, { api, child, done }: Run & { api: ChildProcess }): Promise<void> {
  const startedAt = performance.now()
  const peaks = { api: 0, command: 0 }
  const look = () => {
    peaks.api = Math.max(peaks.api, rssOf(api.pid!))
    if (child?.exitCode === null) peaks.command = Math.max(peaks.command, rssOf(child.pid!))
  }
  const looking = setInterval(look, lookEveryMs)
  try {
    await done
  } finally {
    clearInterval(looking)
  }
  const rate = Math.round(lines / ((performance.now() - startedAt) / 1_000))
  const command = child ? `, command ${peaks.command} MB` : ''
  console.log(`${name}: ${rate} lines/s; at most api ${peaks.api} MB${command}`)
}

function rssOf(pid: number): number {
  return Math.round((memoryBytes(pid) ?? 0) / 1024 / 1024)
}
