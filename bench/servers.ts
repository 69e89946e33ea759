import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../src/embedded/index.ts'
import { freePort } from '../test/support/ports.ts'
import { until } from './system.ts'

export type PostgresServer = {
  url: string
  walBytes(): Promise<number>
  pids(): number[]
  stop(): Promise<void>
}

/** A PostgreSQL as durable as it comes, the same for everybody. */
export async function openPostgres(folder: string): Promise<PostgresServer> {
  const server = await startEmbedded({ dataDir: folder })
  const sql = new pg.Client({ connectionString: server.url })
  await sql.connect()
  const { rows } = await sql.query<{ pid: number }>(
    `select pid from pg_stat_activity where backend_type = 'checkpointer'`,
  )
  const postmaster = parentOf(rows[0]!.pid)
  return {
    url: server.url,
    async walBytes() {
      const { rows } = await sql.query<{ bytes: string }>(
        `select pg_current_wal_insert_lsn() - '0/0' as bytes`,
      )
      return Number(rows[0]!.bytes)
    },
    pids: () => [postmaster, ...childrenOf(postmaster)],
    async stop() {
      await sql.end()
      await server.stop()
    },
  }
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }))
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

export const redisProgram = 'redis-server'

export function hasRedis(): boolean {
  return spawnSync(redisProgram, ['--version']).status === 0
}

/** A Redis that writes everything to disk: at once with `always`, within a second with `everysec`. */
export async function openRedis(folder: string, appendfsync: 'always' | 'everysec') {
  const port = await freePort()
  const settings = ['--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'yes']
  const child = spawn(redisProgram, [...settings, '--appendfsync', appendfsync], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  await until(
    async () =>
      spawnSync('redis-cli', ['-p', String(port), 'ping'])
        .stdout?.toString()
        .trim() === 'PONG',
  )
  return {
    url: `redis://127.0.0.1:${port}`,
    pids: () => [child.pid!],
    async stop() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

export const peersFolder = join(import.meta.dirname, 'peers')
