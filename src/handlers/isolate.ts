import type { ClaimedTask, Verdict } from '../domain/outcome.ts'
import type { Runner } from './attempt.ts'
import type { AbortReason } from './context.ts'
import type { Cell, Job } from './isolate-cell.ts'
import { createCells, type IsolationDeps } from './isolate-cells.ts'

/** A suspect that waits or runs. */
type Suspect = Job & { cell?: Cell }

/**
 * Runs suspects, tasks under which a process has died, in processes that may die without harm. A quarter of
 * `concurrency` of the tasks that crashed once share a process, so that the many innocents of a crash are soon
 * through; a task that crashed again has sixteen times less company each time. Where the guilty one is known, because
 * it ran alone or the process could tell whose code ended it, its attempt fails with a WorkerLostError; the others of
 * that process have crashed once more.
 */
export function createIsolation(deps: IsolationDeps): Runner {
  const suspects = new Map<string, Suspect>()
  const cells = createCells(deps, place)
  let waiting: Suspect[] = []
  let isStopping = false
  return { types: [...deps.handlers.definitions.keys()], run, abort, stop }

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
    waiting = waiting.filter((other) => other !== suspect)
    suspect.settle({ kind: 'interrupted' })
  }

  async function stop() {
    isStopping = true
    for (const suspect of [...suspects.values()]) interrupt(suspect, 'shutdown')
    await cells.stop()
  }
}
