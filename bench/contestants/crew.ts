import type { Work, Working } from '../contestant.ts'
import type { Program } from '../program.ts'

/** The worker processes of a contestant: one more with each call of `work`. */
export function crew(start: (expected: number, work: Work) => Promise<Program>) {
  let workers: Program[] = []
  return {
    pids: () => workers.map(({ pid }) => pid),
    work,
    stop: () => dismiss((worker) => worker.stop()),
    kill: () => dismiss((worker) => worker.kill()),
  }

  async function work(expected: number, what: Work): Promise<Working> {
    const worker = await start(expected, what)
    workers.push(worker)
    return worker.working
  }

  async function dismiss(end: (worker: Program) => Promise<void>): Promise<void> {
    const all = workers
    workers = []
    await Promise.all(all.map(end))
  }
}
