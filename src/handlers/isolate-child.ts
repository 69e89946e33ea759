import { once } from 'node:events'
import { extname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { pino } from 'pino'
import type { ProgressReport } from '../domain/progress.ts'
import { createLocalRunner, type Runner } from './attempt.ts'
import { failureOf } from './failure.ts'
import { type FromChild, machineMs, type ToChild } from './isolate-messages.ts'
import { type Handlers, loadHandlers } from './load-handlers.ts'
import { currentAttempt, logStrayErrors } from './stray-errors.ts'

// The program of an expendable process: it runs what its worker sends, and may die of it.

const heartbeatMs = 1_000
const tellEveryMs = 100
const [path = '', level = 'info', workerPid] = process.argv.slice(2)

// Signals of a terminal or a service manager are for the worker, which decides what becomes of the tasks.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('exit', (code) => sayFatal(`it exited with code ${code}`))
process.on('uncaughtExceptionMonitor', (error) => {
  const { name, message } = failureOf(error, 0)
  sayFatal(`it exited because nobody caught ${name}: ${message}`)
})
process.on('disconnect', exit)

const lifeline = new Worker(new URL(`./isolate-lifeline${extname(import.meta.filename)}`, import.meta.url), {
  workerData: Number(workerPid),
})
const isWatched = once(lifeline, 'online')
const formatters = { level: (label: string) => ({ level: label }) }
const log = pino({ level, base: null, formatters }, { write: (line) => send({ kind: 'log', line }) })
logStrayErrors(log)
const handlers = await load()
await isWatched // before a handler can block this thread
const progress = progressToWorker()
if (handlers) serve(createLocalRunner({ definitions: handlers.definitions, log, hear: progress.hear }))
else exit()

async function load(): Promise<Handlers | undefined> {
  try {
    return await loadHandlers(path)
  } catch (error) {
    send({ kind: 'unready', message: failureOf(error, 0).message })
    return undefined
  }
}

function serve(runner: Runner) {
  const stopping = new AbortController()
  process.on('message', (message: ToChild) => {
    if (message.kind === 'run') void answer(message)
    if (message.kind === 'abort') runner.abort(message.id, message.attempt, message.reason)
    if (message.kind === 'end') end()
  })
  send({ kind: 'ready' })
  void beat(stopping.signal)

  async function answer({ task, sentAtMs, freshMs }: Extract<ToChild, { kind: 'run' }>) {
    if (machineMs() - sentAtMs > freshMs) return send({ kind: 'stale', id: task.id, attempt: task.attempt })
    const verdict = await runner.run(task)
    progress.tell(task.id)
    send({ kind: 'verdict', id: task.id, attempt: task.attempt, verdict })
  }

  /** Leaves the rest to Node, which ends a process that has nothing to wait for. */
  function end() {
    process.off('disconnect', exit)
    // Node 24 throws when it still has messages to hand out.
    setImmediate(() => process.disconnect())
    stopping.abort()
    void lifeline.terminate()
  }
}

/** Tells the worker the latest of each task ten times a second: a handler may say more than a channel takes. */
function progressToWorker() {
  const latest = new Map<string, ProgressReport>()
  let isTelling = false
  return { hear, tell }

  function hear(report: ProgressReport) {
    latest.set(report.id, report)
    if (!isTelling) setTimeout(tellAll, tellEveryMs)
    isTelling = true
  }

  function tellAll() {
    isTelling = false
    for (const id of latest.keys()) tell(id)
  }

  /** What is untold when the attempt is over goes before its verdict. */
  function tell(id: string) {
    const report = latest.get(id)
    if (report && latest.delete(id)) send({ kind: 'progress', report })
  }
}

async function beat(signal: AbortSignal) {
  while (!signal.aborted) {
    send({ kind: 'alive' })
    await sleep(heartbeatMs, undefined, { signal }).catch(() => {})
  }
}

function exit() {
  process.exit(1)
}

function sayFatal(message: string) {
  const current = currentAttempt.getStore()
  const attempts = current && 'task' in current ? [current] : (current ?? [])
  const [culprit, ...others] = attempts
  if (!culprit || others.length > 0) return // nobody's, or a batch's, of which nobody knows whose
  const { id, attempt } = culprit.task
  send({ kind: 'fatal', message, id, attempt })
}

function send(message: FromChild) {
  if (process.connected) process.send?.(message, () => {})
}
