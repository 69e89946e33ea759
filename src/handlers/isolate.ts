import type { Logger } from 'pino'
import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import type { Runner } from './attempt.ts'
import type { AbortReason } from './context.ts'
import { type Cell, type Job, startCell } from './isolate-cell.ts'
import type { Handlers } from './load-handlers.ts'

const mostCells = 4
/** Each further crash divides the company in which a task runs by this much, until it runs alone. */
const narrowing = 16
const inspectEveryMs = 500

/** A handler that blocks its process for longer is taken for an endless loop. */
const defaultLongestBlockMs = 60_000

type Deps = { handlers: Handlers; log: Logger; concurrency: number; longestBlockMs?: number }

/** A suspect that waits or runs. */
type Suspect = Job & { cell?: Cell }

/**
 * Runs suspects, tasks under which a process has died, in processes that may die without harm: at most four, started
 * when they are needed. A quarter of `concurrency` of the tasks that crashed once share a process, so that the many
 * innocents of a crash are soon through; a task that crashed again has sixteen times less company each time. Where the
 * guilty one is known, because it ran alone or the process could tell whose code ended it, its attempt fails with a
 * WorkerLostError; the others of that process have crashed once more.
 */
export function createIsolation(deps: Deps): Runner {
  const { handlers, log, longestBlockMs = defaultLongestBlockMs } = deps
  const companyOf = (crashes: number) => companyAfter(crashes, deps.concurrency)
  const suspects = new Map<string, Suspect>()
  const cells = new Set<Cell>()
  const stopped = Promise.withResolvers<void>()
  let waiting: Suspect[] = []
  let isStopping = false
  const inspection = inspectionOf(cells)
  return { types: [...handlers.definitions.keys()], run, abort, stop }

  function run(task: ClaimedTask) {
    return new Promise<Verdict>((resolve) => {
      if (isStopping) return resolve({ kind: 'interrupted' })
      const older = suspects.get(task.id)
      if (older) interrupt(older, 'lost')
      const suspect: Suspect = { task, settle: (verdict) => settle(task, verdict, resolve) }
      suspects.set(task.id, suspect)
      waiting.push(suspect)
      place()
    })
  }

  function settle(task: ClaimedTask, verdict: Verdict, resolve: (verdict: Verdict) => void) {
    suspects.delete(task.id)
    resolve(verdict)
    place()
  }

  /** First come, first served, so that nobody waits for ever. */
  function place() {
    for (let suspect = waiting[0]; suspect && !isStopping; suspect = waiting[0]) {
      const cell = cellFor(suspect.task.crashes)
      if (!cell) return
      waiting.shift()
      suspect.cell = cell
      cell.take(suspect)
    }
  }

  function cellFor(crashes: number): Cell | undefined {
    const open = [...cells].filter((cell) => cell.isOpen() && companyOf(cell.crashes) > 1)
    const shared = open.find((cell) => cell.crashes === crashes && cell.size() < companyOf(crashes))
    if (shared) return shared
    if (cells.size < mostCells) return openCell(crashes)
    open.find((cell) => cell.size() === 0)?.end()
    return undefined
  }

  function openCell(crashes: number): Cell {
    const isSolitary = companyOf(crashes) === 1
    const cell = startCell({
      handlers,
      log,
      crashes,
      isSolitary,
      longestBlockMs,
      onClose: () => forget(cell),
    })
    cells.add(cell)
    inspection.start()
    return cell
  }

  function forget(cell: Cell) {
    cells.delete(cell)
    if (isStopping && cells.size === 0) stopped.resolve()
    place()
  }

  function abort(id: string, attempt: number, reason: AbortReason) {
    const suspect = suspects.get(id)
    if (suspect?.task.attempt === attempt) interrupt(suspect, reason)
  }

  function interrupt(suspect: Suspect, reason: AbortReason) {
    if (suspect.cell) return suspect.cell.abort(suspect, reason)
    waiting = waiting.filter((other) => other !== suspect)
    suspect.settle({ kind: 'interrupted' })
  }

  async function stop() {
    isStopping = true
    for (const suspect of [...suspects.values()]) interrupt(suspect, 'shutdown')
    for (const cell of cells) cell.end()
    if (cells.size === 0) stopped.resolve()
    await stopped.promise
    inspection.stop()
  }
}

/** How many tasks that crashed that often may run in one process. */
function companyAfter(crashes: number, concurrency: number) {
  return Math.max(1, Math.ceil(concurrency / mostCells / narrowing ** (crashes - 1)))
}

/** Looks after the cells every half second while there are any. */
function inspectionOf(cells: ReadonlySet<Cell>) {
  let timer: NodeJS.Timeout | undefined
  let lookedAtMs = 0
  return { start, stop }

  function start() {
    if (!timer) wait()
  }

  function stop() {
    clearTimeout(timer)
    timer = undefined
  }

  function wait() {
    lookedAtMs = performance.now()
    timer = cells.size > 0 ? setTimeout(inspect, inspectEveryMs) : undefined
  }

  function inspect() {
    // After a pause of this process's own, what the others said meanwhile has not been heard yet.
    const wasAway = performance.now() - lookedAtMs > 2 * inspectEveryMs
    for (const cell of wasAway ? [] : cells) cell.inspect()
    wait()
  }
}
