import { join } from 'node:path'
import { migrate } from '../../src/main/migrate.ts'
import type { Contestant } from '../contestant.ts'
import { openPostgres } from '../servers.ts'
import { enterByItself } from './by-itself.ts'

const file = join(import.meta.dirname, '../raw-program.ts')

/** What PostgreSQL can do with these statements: nothing on top of them can be faster. */
export const raw: Contestant = {
  name: 'raw limit',
  workloads: ['drain', 'batch-100', 'batch-10', 'single'],
  about: 'the statements of Millrace in a bare loop over three connections; no system',
  async open(folder) {
    const server = await openPostgres(folder)
    await migrate(server.url)
    return enterByItself(file, { args: [server.url], part: 'PostgreSQL', server })
  },
}
