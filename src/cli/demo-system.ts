import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CommandFailure } from './exit-code.ts'
import { millraceVersionAt } from './probe.ts'
import { say } from './words.ts'

/** A system that the demonstration may use. */
export type System = { url: string; wasStarted: boolean; stop(): Promise<void> }

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const stopsWithinMs = 60_000
const linesShown = 20

/** The system at `url` if one answers there; otherwise a new one on its port, or beside it if that is taken. */
export async function systemAt(url: string, signal: AbortSignal): Promise<System> {
  if ((await millraceVersionAt(url)) !== undefined) return { url, wasStarted: false, stop: async () => {} }
  const { hostname, port } = new URL(url)
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    throw new CommandFailure(`no Millrace answers at ${url}, and one can be started on this machine only`)
  }
  say(`No Millrace at ${url}: starting one …`)
  return startSystem(port || '80', signal)
}

async function startSystem(port: string, signal: AbortSignal): Promise<System> {
  const child = spawn(process.execPath, [main, 'start'], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: port },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A process group of its own: Ctrl-C is for us, and we stop it when we are done with it.
    detached: true,
  })
  const said = lastWords(child)
  const ended = once(child, 'exit')
  const stop = () => stopSystem(child, ended)
  try {
    return { url: await readyAt(child, signal), wasStarted: true, stop }
  } catch (error) {
    await stop()
    signal.throwIfAborted()
    throw new CommandFailure(`the system did not start:\n${said.join('\n')}`, undefined, error)
  }
}

/** `start` tells its parent when everything runs, and where. */
async function readyAt(child: ChildProcess, signal: AbortSignal): Promise<string> {
  const failed = once(child, 'exit', { signal }).then(() => {
    throw new Error('it ended')
  })
  const [message] = await Promise.race([once(child, 'message', { signal }), failed])
  return message.url
}

async function stopSystem(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), stopsWithinMs)
  await ended
  clearTimeout(killer)
}

/** What it says is of interest only if it fails. */
function lastWords(child: ChildProcess): string[] {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line.trim() !== ''))
      lines.splice(0, lines.length - linesShown)
    })
  }
  return lines
}
