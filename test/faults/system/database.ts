import { join } from 'node:path'
import { startEmbedded } from '../../../src/embedded/index.ts'
import { postmasterPid, query, testSettings } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import type { DatabaseServer } from '../trial/fault.ts'
import { openLink } from './link.ts'
import type { Cleanups } from './system.ts'

/** A PostgreSQL of the run's own behind a link, in `folder`. */
export async function openDatabaseServer(cleanups: Cleanups, folder: string): Promise<DatabaseServer> {
  const options = { dataDir: join(folder, 'postgres'), settings: testSettings }
  let server = await startEmbedded(options)
  cleanups.after(() => server.stop())
  const { url } = server
  const link = await openLink(url)
  cleanups.after(() => link.close())
  return {
    url,
    link,
    dataDir: options.dataDir,
    postmasterPid: () => postmasterPid(options.dataDir),
    restart,
    stop: () => server.stop(),
    start,
    kill,
    query: (statement, values) => query(withSchema(url), statement, values),
  }

  /** Its stopping is PostgreSQL's fast shutdown. */
  async function restart(): Promise<void> {
    await server.stop()
    await start()
  }

  async function start(): Promise<void> {
    server = await startEmbedded(options)
    if (server.url !== url) throw new Error(`PostgreSQL came back at ${server.url} instead of ${url}`)
  }

  /** It is started again by who keeps it up. */
  async function kill(): Promise<void> {
    const pid = postmasterPid(options.dataDir)
    process.kill(pid, 'SIGKILL')
    await until(() => postmasterPid(options.dataDir) !== pid && accepts(), {
      deadlineMs: 120_000,
      what: 'PostgreSQL is back after kill -9',
    })
  }

  async function accepts(): Promise<boolean> {
    await query(url, 'select')
    return true
  }
}

function withSchema(url: string): string {
  return `${url}?options=${encodeURIComponent('-c search_path=millrace,public')}`
}
