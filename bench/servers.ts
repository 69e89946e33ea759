import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../src/embedded/index.ts'
import { startBrokerNode } from '../test/support/broker-node.ts'
import { freePort } from '../test/support/ports.ts'
import { until } from '../test/support/until.ts'
import type { Effort } from './contestant.ts'

export type PostgresServer = {
  url: string
  effort(): Promise<Effort>
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
    effort: () => effortOf(sql),
    pids: () => [postmaster, ...childrenOf(postmaster)],
    async stop() {
      await sql.end()
      await server.stop()
    },
  }
}

async function effortOf(sql: pg.Client): Promise<Effort> {
  const { rows } = await sql.query<Record<keyof Effort, string>>(`
    select pg_current_wal_insert_lsn() - '0/0' as "walBytes",
           (select xact_commit from pg_stat_database where datname = current_database()) as commits,
           (select coalesce(sum(n_tup_upd), 0) from pg_stat_user_tables) as updates,
           (select coalesce(sum(n_tup_hot_upd), 0) from pg_stat_user_tables) as "heapOnlyUpdates"`)
  const { walBytes, commits, updates, heapOnlyUpdates } = rows[0]!
  return {
    walBytes: Number(walBytes),
    commits: Number(commits),
    updates: Number(updates),
    heapOnlyUpdates: Number(heapOnlyUpdates),
  }
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }))
}

export function childrenOf(pid: number): number[] {
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
    { what: 'Redis answers' },
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

/** A RabbitMQ that listens to this machine only. */
export async function openRabbit(folder: string) {
  const own = join(folder, 'rabbitmq')
  mkdirSync(own)
  const node = await startBrokerNode(own, ['/'])
  const pid = Number(await node.control(['eval', 'os:getpid().']).then((said) => said.replace(/\D/g, '')))
  return { url: node.url(), pids: () => [pid], stop: node.stop }
}

export const peersFolder = join(import.meta.dirname, 'peers')
