import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { Millrace } from '../../client/index.ts'
import { durationMs, durationWords } from '../amounts.ts'
import { withExamples } from '../examples.ts'
import { print } from '../output.ts'
import { clientOf, type ServerOptions, withServer } from '../server.ts'
import { type Look, topFrame } from '../top-frame.ts'

type TopOptions = ServerOptions & { interval: number }

const shortestIntervalMs = 100

export function topCommand(): Command {
  const command = withServer(new Command('top'))
    .summary('watch counts, queues and workers')
    .description('show counts, queues and workers, again every second; q quits. Once when piped')
    .option('--interval <duration>', `how often: ${durationWords}`, durationMs, 1_000)
    .action(async ({ interval, ...server }: TopOptions) => {
      const millrace = clientOf(server)
      const first = await look(millrace)
      if (!process.stdout.isTTY) return topFrame(first, paper).forEach((line) => void print(line))
      await watch(millrace, first, Math.max(shortestIntervalMs, interval))
    })
  return withExamples(command, 'millrace top', 'millrace top --interval 5s')
}

const paper = { columns: 80, rows: Number.POSITIVE_INFINITY }

async function look(millrace: Millrace): Promise<Look> {
  const [stats, workers] = await Promise.all([millrace.stats(), millrace.workers()])
  return { stats, workers, at: new Date() }
}

const csi = '\u001b['
const enter = `${csi}?1049h${csi}?25l`
const leave = `${csi}?25h${csi}?1049l`

/** Draws on a page of its own, so that what was on the terminal is there again afterwards. */
async function watch(millrace: Millrace, first: Look, intervalMs: number): Promise<void> {
  const quit = new AbortController()
  const stopListening = listenForQuit(quit)
  const restore = () => void process.stdout.write(leave)
  process.once('exit', restore) // whatever ends this process
  process.stdout.write(enter)
  let seen = first
  const redraw = () => draw(seen)
  process.stdout.on('resize', redraw)
  try {
    while (!quit.signal.aborted) {
      redraw()
      await sleep(intervalMs, undefined, { signal: quit.signal }).catch(() => {})
      if (!quit.signal.aborted) seen = await look(millrace).catch((error) => outdated(seen, error))
    }
  } finally {
    process.stdout.off('resize', redraw)
    process.off('exit', restore)
    restore()
    stopListening()
  }
}

/** A server that restarts is no reason to leave: the last picture stays, and says how old it is. */
function outdated(seen: Look, error: unknown): Look {
  const seconds = Math.round((Date.now() - seen.at.getTime()) / 1000)
  const why = error instanceof Error ? error.message : String(error)
  return { ...seen, problem: `${seconds} s old: ${why}` }
}

function draw(seen: Look): void {
  const { columns = 80, rows = 24 } = process.stdout
  const lines = topFrame(seen, { columns, rows }).map((line) => `${line}${csi}K`)
  process.stdout.write(`${csi}H${lines.join('\r\n')}${csi}J`)
}

function listenForQuit(quit: AbortController): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  const onKey = (keys: Buffer) => {
    if (/[qQ\u0003\u0004]/.test(keys.toString())) quit.abort()
  }
  stdin.setRawMode(true)
  stdin.on('data', onKey)
  return () => {
    stdin.off('data', onKey)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
