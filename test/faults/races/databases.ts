import { startEmbedded } from '../../../src/embedded/index.ts'
import { migrate } from '../../../src/main/migrate.ts'
import { openDatabase } from '../../../src/storage/connection.ts'
import { makeFolder, removeFolder } from '../../support/folder.ts'
import type { Cleanups } from '../system/system.ts'

/** Crashes of the machine are no part of races, so the server need not wait for the disk. */
const settings = { fsync: 'off', max_connections: '200', shared_buffers: '128MB' }

/** A PostgreSQL of its own with migrated, empty databases. Answers their addresses. */
export async function racingDatabases(cleanups: Cleanups, count: number): Promise<string[]> {
  const folder = makeFolder('races')
  cleanups.after(() => removeFolder(folder))
  const server = await startEmbedded({ dataDir: folder, settings })
  cleanups.after(() => server.stop())
  const database = openDatabase(server.url, { connections: 1, statementTimeoutMs: 30_000, plans: 'looks' })
  const urls: string[] = []
  for (let i = 0; i < count; i++) {
    await database.run({ name: '', text: `create database races_${i}` })
    const url = new URL(server.url)
    url.pathname = `/races_${i}`
    await migrate(url.href)
    urls.push(url.href)
  }
  await database.close()
  return urls
}
