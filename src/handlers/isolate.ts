import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import type { Runner } from './attempt.ts'
import type { AbortReason } from './context.ts'
import type { Cell, Job } from './isolate-cell.ts'
import { type Cells, createCells, type IsolationDeps } from './isolate-cells.ts'

/** A task that waits or runs apart. */
type Suspect = Job & { line: Line; cell?: Cell }

/** Those who wait for room in the same processes: first come, first served, so that nobody waits for ever. */
type Line = { cells: Cells; waiting: Suspect[] }

export type Isolation = Runner & {
  /** Whether a task has ended a process here lately, so that all tasks had better run apart. */
  isOnGuard(): boolean
}

/**
 * Runs tasks in processes that may die without harm: suspects, under which a process has died, and for a minute after
 * that all the others. A quarter of `concurrency` of the tasks that crashed once at most share a process, so that the
 * many innocents of a crash are soon through; a task that crashed again has sixteen times less company each time, and
 * a line of its own, for those are slow. Where the guilty one is known, because it ran alone or the process could tell
 * whose code ended it, its attempt fails with a WorkerLostError and nothing is held against the others; where it is
 * not, all have crashed once more.
 */
export function createIsolation(deps: IsolationDeps): Isolation {
  const suspects = new Map<string, Suspect>()
  const wide: Line = { cells: createCells(deps, { onRoom: place, onDeath }), waiting: [] }
  const narrow: Line = { cells: createCells(deps, { onRoom: place, onDeath }), waiting: [] }
  let guardedUntilMs = deps.isOnGuard ? performance.now() + deps.guardMs : 0
  let isStopping = false
  return { types: [...deps.handlers.definitions.keys()], run, abort, stop, isOnGuard }

  function isOnGuard() {
    return performance.now() < guardedUntilMs
  }

  function onDeath() {
    guardedUntilMs = performance.now() + deps.guardMs
  }

  function run(task: ClaimedTask) {
    return new Promise<Verdict>((resolve) => {
      if (isStopping) return resolve({ kind: 'interrupted' })
      const older = suspects.get(task.id)
      if (older) interrupt(older, 'lost')
      const line = task.crashes > 1 ? narrow : wide
      const suspect: Suspect = { task, line, settle: (verdict) => settle(task, verdict, resolve) }
      suspects.set(task.id, suspect)
      line.waiting.push(suspect)
      place()
    })
  }

  function settle(task: ClaimedTask, verdict: Verdict, resolve: (verdict: Verdict) => void) {
    suspects.delete(task.id)
    resolve(verdict)
    place()
  }

  function place() {
    placeOf(wide)
    placeOf(narrow)
  }

  function placeOf({ cells, waiting }: Line) {
    for (let suspect = waiting[0]; suspect && !isStopping; suspect = waiting[0]) {
      const cell = cells.roomFor(suspect.task.crashes)
      if (!cell) return
      waiting.shift()
      suspect.cell = cell
      cell.take(suspect)
    }
  }

  function abort(id: string, attempt: number, reason: AbortReason) {
    const suspect = suspects.get(id)
    if (suspect?.task.attempt === attempt) interrupt(suspect, reason)
  }

  function interrupt(suspect: Suspect, reason: AbortReason) {
    if (suspect.cell) return suspect.cell.abort(suspect, reason)
    suspect.line.waiting.splice(suspect.line.waiting.indexOf(suspect), 1)
    suspect.settle({ kind: 'interrupted' })
  }

  async function stop() {
    isStopping = true
    for (const suspect of [...suspects.values()]) interrupt(suspect, 'shutdown')
    await Promise.all([wide.cells.stop(), narrow.cells.stop()])
  }
}
