import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClaimedTask } from '../domain/outcome.ts'
import { type FromChild, machineMs, type ToChild } from './isolate-messages.ts'

const program = fileURLToPath(new URL(`./isolate-child${extname(import.meta.filename)}`, import.meta.url))
/** What a process that was told to end may still take for cleaning up. */
const endsWithinMs = 1_000
/**
 * A task that is heard later, because a handler blocked the process meanwhile, may have been canceled since. Twice as
 * long each time, so that it begins in the end also where everything is late.
 */
const freshMs = 100

/** A process that runs handlers and may die of it. */
export type IsolatedProcess = {
  send(message: ToChild): void
  /** `before`: how often it was sent already, and came back because it was heard late. */
  run(task: ClaimedTask, before: number): void
  /** Lets it end what it does, for a second. */
  end(): void
  kill(): void
}

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

type Listeners = {
  onMessage(message: FromChild): void
  /** Once, when it has ended and its last message was heard; also when it could not be started. */
  onClose(exit: Exit): void
}

/**
 * Starts a process with the handlers of `path`. It has this one's memory limit, environment and flags: with less, a
 * task that is only large would be taken for guilty.
 */
export function startIsolatedProcess(
  { path, logLevel }: { path: string; logLevel: string },
  { onMessage, onClose }: Listeners,
): IsolatedProcess {
  const child = fork(program, [path, logLevel, String(process.pid)], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let killer: NodeJS.Timeout | undefined
  child.on('message', onMessage)
  child.on('error', () => {}) // what could not be started or reached also closes
  child.once('close', (code, signal) => {
    clearTimeout(killer)
    onClose({ code, signal })
  })
  return { send, run, end, kill }

  function send(message: ToChild) {
    if (child.connected) child.send(message, () => {})
  }

  function run(task: ClaimedTask, before: number) {
    send({ kind: 'run', task, sentAtMs: machineMs(), freshMs: freshMs * 2 ** before })
  }

  function end() {
    if (killer) return
    send({ kind: 'end' })
    killer = setTimeout(kill, endsWithinMs)
  }

  function kill() {
    child.kill('SIGKILL')
  }
}
