import type { Work, Working } from '../contestant.ts'
import type { Program } from '../program.ts'

/** The worker processes of a contestant: `size` more with each call of `work`. */
export function crew(start: (expected: number, work: Work) => Promise<Program>, size = 1) {
  let workers: Program[] = []
  return {
    pids: () => workers.map(({ pid }) => pid),
    work,
    stop: () => dismiss((worker) => worker.stop()),
    kill: () => dismiss((worker) => worker.kill()),
  }

  async function work(expected: number, what: Work): Promise<Working> {
    const started = await Promise.all(Array.from({ length: size }, () => start(expected, what)))
    workers.push(...started)
    return size === 1 ? started[0]!.working : together(started)
  }

  async function dismiss(end: (worker: Program) => Promise<void>): Promise<void> {
    const all = workers
    workers = []
    await Promise.all(all.map(end))
  }
}

/** Of several nobody knows how many each will run: when all are done, the store says so. */
function together(programs: readonly Program[]): Working {
  const each = programs.map(({ working }) => working)
  return {
    firstAtMs: Promise.race(each.map(({ firstAtMs }) => firstAtMs)),
    all: Promise.resolve(),
    get delays() {
      return each.flatMap(({ delays }) => delays)
    },
  }
}
