import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, placeOf, rememberPort } from './cluster.ts'
import { askServer } from './connection.ts'
import { EmbeddedError, explain } from './errors.ts'
import { runningServer, vanished } from './postmaster.ts'
import { serverEnvironment, settingArguments } from './settings.ts'
import { adoptTethered, startTethered, type Tethered, type TetherOptions } from './tether.ts'

/** A running server, bound to the life of this process. */
export type Server = { cluster: Cluster; port: number; adopted: boolean; process: Tethered }

export type Launch = {
  postgres: string
  logFile: string
  settings: Readonly<Record<string, string>>
  /** The only port that will do, because somebody has its address. Otherwise the one of last time, or any. */
  port?: number
}

/** Replaying the log of a crash can take as long as writing it did. */
const readyWithinMs = 300_000
const largestLogBytes = 16 * 1024 * 1024

/** Brings the cluster's server up, or takes over one that runs already, and resolves when it answers. */
export async function runServer(cluster: Cluster, launch: Launch): Promise<Server> {
  const running = await runningServer(cluster)
  if (running === undefined) return launchServer(cluster, launch)
  const process = adoptTethered(running.pid, tetherOptions(cluster))
  return { cluster, port: running.port, adopted: true, process }
}

/** Stops the server in the orderly way: sessions end, a checkpoint is written. */
export async function stopServer({ process, cluster, adopted }: Server): Promise<void> {
  process.release()
  // An adopted server is somebody else's child: its file is gone sooner than its number.
  await (adopted ? Promise.race([process.ended, vanished(cluster)]) : process.ended)
}

async function launchServer(cluster: Cluster, launch: Launch): Promise<Server> {
  for (let triesLeft = 5; ; triesLeft--) {
    const port = launch.port ?? (await freePort(cluster.access.port))
    const logStart = rotatedSize(launch.logFile)
    const process = startPostgres(cluster, port, launch)
    const ended = await Promise.race([process.ended, answers(rememberPort(cluster, port), process.ended)])
    if (ended === undefined) return { cluster: rememberPort(cluster, port), port, adopted: false, process }
    const said = readFileSync(launch.logFile).subarray(logStart).toString('utf8')
    if (triesLeft === 0 || !isPassing(said))
      throw new EmbeddedError(explain(cluster.dir, said || ended, launch.logFile))
    await sleep(500)
  }
}

/** Somebody else has the port at the moment, or processes of the crashed server are not all gone yet. */
function isPassing(said: string): boolean {
  return /Address already in use|pre-existing shared memory block/.test(said)
}

function startPostgres(cluster: Cluster, port: number, { postgres, logFile, settings }: Launch): Tethered {
  const { path } = placeOf(cluster)
  const output = openSync(logFile, 'a', 0o600)
  try {
    const args = ['-D', path, '-p', String(port), ...settingArguments(settings)]
    return startTethered(postgres, args, { ...tetherOptions(cluster), output })
  } finally {
    closeSync(output)
  }
}

function tetherOptions(cluster: Cluster): TetherOptions {
  const { cwd } = placeOf(cluster)
  // INT asks PostgreSQL for its fast shutdown: sessions are ended, nothing is lost.
  return { signal: 'INT', cwd, env: serverEnvironment(), account: cluster.account }
}

/** Resolves with nothing when the server answers, or with how it ended before. */
async function answers(cluster: Cluster, ended: Promise<string>): Promise<string | undefined> {
  let how: string | undefined
  void ended.then((sentence) => {
    how = sentence
  })
  for (const untilMs = performance.now() + readyWithinMs; performance.now() < untilMs; await sleep(25)) {
    if (how !== undefined) return how
    if ((await askServer(cluster, 'select 1')).kind === 'answer') return undefined
  }
  throw new EmbeddedError(
    `PostgreSQL in ${cluster.dir} has not become ready within ${readyWithinMs / 1000} s: see its log`,
  )
}

/** The size of the log, which is put aside first when it has become too large. */
function rotatedSize(logFile: string): number {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size < largestLogBytes) return size
  rmSync(`${logFile}.old`, { force: true })
  renameSync(logFile, `${logFile}.old`)
  return 0
}

async function freePort(wanted: number | null): Promise<number> {
  return (wanted !== null && (await listenOnce(wanted))) || (await listenOnce(0)) || Promise.reject(noPort())
}

function noPort(): EmbeddedError {
  return new EmbeddedError('no port on 127.0.0.1 is free for PostgreSQL: close some programs and start again')
}

/** Answers the port if it could be listened on. */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(undefined))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}
