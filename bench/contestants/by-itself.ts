import type { Entry } from '../contestant.ts'
import { startProgram } from '../program.ts'
import type { PostgresServer } from '../servers.ts'
import { crew } from './crew.ts'

type Server = { effort?: PostgresServer['effort']; pids(): number[]; stop(): Promise<void> }
type Options = { args: readonly string[]; part: string; server: Server; execPath?: string }

/** A contestant that is a library: one process that submits and looks, others that work, all of the same program. */
export async function enterByItself(file: string, { args, part, server, execPath }: Options): Promise<Entry> {
  const load = await startProgram(file, { args, execPath })
  await load.call('prepare')
  const workers = crew(async (expected, work) => {
    const worker = await startProgram(file, { args, execPath })
    await worker.call('work', expected, work)
    return worker
  })
  return {
    submit: (count, shape) => load.call('submit', count, shape),
    flow: (flow) => load.call('flow', flow),
    work: workers.work,
    stopWorkers: workers.stop,
    killWorkers: workers.kill,
    completed: () => load.call('completed'),
    effort: async () => server.effort?.(),
    pids: () => ({ load: [load.pid], worker: workers.pids(), [part]: server.pids() }),
    leave,
    async close() {
      await leave()
      await server.stop()
    },
  }

  async function leave() {
    await Promise.all([load.stop(), workers.stop()])
  }
}
