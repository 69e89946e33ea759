import { join } from 'node:path'
import { migrate } from '../../src/main/migrate.ts'
import type { Contestant } from '../contestant.ts'
import { type Program, startProgram } from '../program.ts'
import { openPostgres } from '../servers.ts'

const file = join(import.meta.dirname, '../raw-program.ts')

/** What PostgreSQL can do with these statements: nothing on top of them can be faster. */
export const raw: Contestant = {
  name: 'raw limit',
  isFor: ({ sleepMs }) => sleepMs === 0,
  about: 'the statements of Millrace in a bare loop over three connections; no system',
  async open(folder) {
    const server = await openPostgres(folder)
    await migrate(server.url)
    const loader = await startProgram(file, { args: [server.url] })
    let worker: Program | undefined
    return {
      submit: (count, shape) => loader.call('submit', count, shape),
      async work(expected) {
        worker = await startProgram(file, { args: [server.url] })
        await worker.call('work', expected)
        return worker.working
      },
      completed: () => loader.call('completed'),
      walBytes: server.walBytes,
      pids: () => ({ worker: worker ? [worker.pid] : [], PostgreSQL: server.pids() }),
      async close() {
        await Promise.all([loader.stop(), worker?.stop()])
        await server.stop()
      },
    }
  },
}
