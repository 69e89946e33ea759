import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../runtime/is-alive.ts'
import type { Cluster } from './cluster.ts'
import { askServer } from './connection.ts'
import { EmbeddedError } from './errors.ts'

type Postmaster = { pid: number; port: number }

const stopsWithinMs = 60_000

/**
 * The server that runs in the cluster's folder although nobody holds it: left over from a process that was
 * killed. One that is shutting down is waited for; a `postmaster.pid` of one that is long gone is removed where
 * PostgreSQL would be misled by it.
 */
export async function runningServer(cluster: Cluster): Promise<Postmaster | undefined> {
  for (const untilMs = performance.now() + stopsWithinMs; performance.now() < untilMs; await sleep(100)) {
    const noted = readPostmaster(cluster.dir)
    if (noted === undefined || !isAlive(noted.pid)) return undefined
    const reply = await askServer(
      { ...cluster, access: { ...cluster.access, port: noted.port } },
      'select pg_postmaster_start_time()',
    )
    if (reply.kind === 'answer') return noted
    if (reply.kind === 'stranger' && !isPostgres(noted.pid)) {
      // The number belongs to another program by now. PostgreSQL would refuse to start if that runs as its user.
      rmSync(join(cluster.dir, 'postmaster.pid'), { force: true })
      return undefined
    }
  }
  const pid = readPostmaster(cluster.dir)?.pid
  throw new EmbeddedError(
    `the PostgreSQL in ${cluster.dir} (pid ${pid}) neither answers nor ends: stop it with kill -QUIT ${pid} and start again`,
  )
}

/** Resolves when no server of this cluster is left, in a minute at most. */
export async function vanished({ dir }: Cluster): Promise<void> {
  for (const untilMs = performance.now() + stopsWithinMs; performance.now() < untilMs; await sleep(50)) {
    const noted = readPostmaster(dir)
    if (noted === undefined || !isAlive(noted.pid)) return
  }
}

/** Line 1 of `postmaster.pid` is the process, line 4 the port. */
function readPostmaster(dir: string): Postmaster | undefined {
  try {
    const lines = readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n')
    const [pid, port] = [Number.parseInt(lines[0] ?? '', 10), Number.parseInt(lines[3] ?? '', 10)]
    return pid > 0 ? { pid, port: port || 0 } : undefined
  } catch {
    return undefined
  }
}

/** Where the system does not say, it may be one, and PostgreSQL itself decides. */
function isPostgres(pid: number): boolean {
  try {
    const [state] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').slice(-1)
    return state?.[0] !== 'Z' && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres'
  } catch {
    return process.platform !== 'linux'
  }
}
