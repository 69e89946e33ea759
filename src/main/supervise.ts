import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CommandFailure } from '../cli/exit-code.ts'
import type { Service } from '../runtime/service.ts'

/** A process of ours that is started again whenever it ends unasked. */
export type Supervised = Service & {
  /** Where it said it answers; nothing for one that does not. */
  url: string | undefined
}

export type ChildSpec = {
  /** The command of `millrace` that it runs. */
  command: 'api' | 'worker'
  env: NodeJS.ProcessEnv
  /** How long it may take to stop before it is killed. */
  stopWithinMs: number
  report: (line: string) => void
  /** Gives up waiting for it to become ready. */
  signal: AbortSignal
}

const program = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))
const firstPauseMs = 100
const longestPauseMs = 10_000
/** One that lived this long was well: its next pause is a short one again. */
const steadyAfterMs = 10_000

/**
 * Starts a process and resolves when it sends `{ type: 'ready' }`. Fails if it ends before that: what is wrong
 * then will not get better by trying.
 */
export async function supervise(spec: ChildSpec): Promise<Supervised> {
  const first = launch(spec)
  const url = await readiness(first, spec)
  return { name: spec.command, url, stop: keepAlive(first, spec) }
}

/** Answers how to stop it. */
function keepAlive(first: Child, spec: ChildSpec): () => Promise<void> {
  let child = first
  let pauseMs = firstPauseMs
  const stopping = new AbortController()
  const kept = keep()
  return async () => {
    stopping.abort()
    child.handle.kill('SIGTERM')
    const deadline = setTimeout(() => child.handle.kill('SIGKILL'), spec.stopWithinMs)
    await kept
    clearTimeout(deadline)
  }

  async function keep(): Promise<void> {
    for (;;) {
      const startedAtMs = performance.now()
      const how = await child.ended
      if (stopping.signal.aborted) return
      if (performance.now() - startedAtMs > steadyAfterMs) pauseMs = firstPauseMs
      spec.report(`the ${spec.command} process ended (${how}): starting it again in ${pauseMs} ms`)
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
      child = launch(spec)
    }
  }
}

type Child = { handle: ChildProcess; ended: Promise<string> }

function launch({ command, env }: ChildSpec): Child {
  const handle = spawn(process.execPath, [program, command], {
    env,
    // A session of its own: a Ctrl-C reaches it once, from us, and not a second time from the terminal.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  // When we exit at once, so does it. When we are killed it notices that the channel is closed, and stops.
  const killed = () => handle.kill('SIGKILL')
  process.once('exit', killed)
  const ended = new Promise<string>((resolve) => {
    handle.once('error', (error) => resolve(error.message))
    handle.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  void ended.then(() => process.off('exit', killed))
  return { handle, ended }
}

async function readiness(
  { handle, ended }: Child,
  { command, signal }: ChildSpec,
): Promise<string | undefined> {
  const giveUp = () => handle.kill('SIGTERM')
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp)
  const ready = new Promise<string | undefined>((resolve) => {
    handle.on('message', (message: unknown) => {
      if (isReady(message)) resolve(message.url)
    })
  })
  const failed = ended.then((how): never => {
    throw new CommandFailure(
      `the ${command} process ended (${how}) before it was ready: see what it says above`,
    )
  })
  return Promise.race([ready, failed]).finally(() => signal.removeEventListener('abort', giveUp))
}

/** What a process sends to the one that has started it, once it does its work. */
type Ready = { type: 'ready'; url?: string }

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready'
}
