import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { accountFor } from './account.ts'
import { binariesFor } from './binaries.ts'
import { knownCluster, openCluster } from './cluster.ts'
import { askServer, urlOf } from './connection.ts'
import { EmbeddedError, explained } from './errors.ts'
import { holdDirectory } from './lock.ts'
import { type Launch, runServer, type Server, stopServer } from './server.ts'

export { EmbeddedError, HeldError } from './errors.ts'

/** PostgreSQL, running until `stop` is called or this process ends. */
export type Embedded = {
  url: string
  version: string
  /** Whether the server ran already, left over from a process that was killed. */
  adopted: boolean
  /** Ends sessions, writes a checkpoint, and lets go of the data directory. Safe to call twice. */
  stop(): Promise<void>
}

export type EmbeddedOptions = {
  /** The cluster is in `<dataDir>/postgres`; lock and log lie beside it. One process holds it at a time. */
  dataDir: string
  /** Server settings that replace our own. */
  settings?: Readonly<Record<string, string>>
  /** Hears what happens to the server later: that it died and was started again. */
  report?: (line: string) => void
}

const database = 'millrace'

/**
 * Brings up the PostgreSQL that npm installed, with its data in `dataDir`, and keeps it up. Fails with
 * EmbeddedError, a sentence for people.
 */
export async function startEmbedded({ dataDir, settings, report }: EmbeddedOptions): Promise<Embedded> {
  const dir = resolve(dataDir)
  try {
    mkdirSync(dir, { recursive: true })
    const lock = holdDirectory(dir)
    try {
      return await startHeld(dir, { settings: settings ?? {}, report: report ?? (() => {}), lock })
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw explained(dir, error)
  }
}

/** The address of the server of a data directory if it answers now, whoever keeps it up. */
export async function runningUrl(dataDir: string): Promise<string | undefined> {
  const cluster = knownCluster(resolve(dataDir))
  if (cluster?.access.port == null) return undefined
  const reply = await askServer(cluster, 'select 1')
  return reply.kind === 'answer' ? urlOf(cluster, database) : undefined
}

type Held = {
  settings: Readonly<Record<string, string>>
  report: (line: string) => void
  lock: { release(): void }
}

async function startHeld(dir: string, { settings, report, lock }: Held): Promise<Embedded> {
  const account = accountFor(dir)
  const binaries = binariesFor(account, dir)
  const cluster = await openCluster(dir, { binaries, account })
  const launch = { postgres: binaries.postgres, logFile: join(dir, 'postgres.log'), settings }
  const server = await runServer(cluster, launch)
  await ensureDatabase(server)
  const kept = keepUp(server, { launch: { ...launch, port: server.port }, report })
  let stopped: Promise<void> | undefined
  return {
    url: urlOf(server.cluster, database),
    version: binaries.version,
    adopted: server.adopted,
    stop: () => {
      stopped ??= kept.stop().finally(lock.release)
      return stopped
    },
  }
}

async function ensureDatabase({ cluster }: Server): Promise<void> {
  const found = await askServer(cluster, `select from pg_database where datname = '${database}'`)
  if (found.kind === 'answer' && found.rows.length > 0) return
  const made = await askServer(cluster, `create database ${database}`)
  if (made.kind !== 'answer')
    throw new EmbeddedError(`the database in ${cluster.dir} could not be created: see its log`)
}

const firstPauseMs = 100
const longestPauseMs = 10_000

/** Starts the server again whenever it ends unasked: killed, out of memory, disk full for a time. */
function keepUp(first: Server, { launch, report }: { launch: Launch; report: (line: string) => void }) {
  let server = first
  let starting: Promise<void> | undefined
  const stopping = new AbortController()
  watch(first)
  return { stop }

  function watch({ process }: Server): void {
    void process.ended.then((how) => {
      if (stopping.signal.aborted) return
      report(`PostgreSQL ended (${how}): starting it again`)
      starting = startAgain()
    })
  }

  async function startAgain(): Promise<void> {
    for (
      let pauseMs = firstPauseMs;
      !stopping.signal.aborted;
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
    ) {
      try {
        server = await runServer(server.cluster, launch)
        watch(server)
        return report('PostgreSQL is back')
      } catch (error) {
        report(error instanceof Error ? error.message : String(error))
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    await starting
    await stopServer(server)
  }
}
