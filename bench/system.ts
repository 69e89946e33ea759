import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startEmbedded } from '../src/embedded/index.ts'
import { migrate } from '../src/main/migrate.ts'

const root = join(import.meta.dirname, '..')

export type Running = { pid: number; url: string; kill(signal: NodeJS.Signals): Promise<void> }

/** A system of its own in a temporary folder, with the durability of a real one. */
export async function openBench(amqpUrl?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const server = await startEmbedded({ dataDir: folder })
  await migrate(server.url)
  const sql = new pg.Client({ connectionString: server.url, options: '-c search_path=millrace' })
  await sql.connect()
  const running = new Set<Running>()
  return { sql, start, close }

  /** Starts `millrace api` or `millrace worker`; resolves when it is ready. */
  async function start(command: 'api' | 'worker', env: Record<string, string> = {}): Promise<Running> {
    const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), command], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: server.url,
        ...(amqpUrl ? { AMQP_URL: amqpUrl } : {}),
        TASKS: join(import.meta.dirname, 'tasks.ts'),
        PORT: '0',
        LOG_LEVEL: 'warn',
        ...env,
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const process_ = { pid: child.pid!, url: await ready(child), kill }
    running.add(process_)
    return process_

    async function kill(signal: NodeJS.Signals) {
      running.delete(process_)
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await gone
    }
  }

  async function close() {
    await Promise.all([...running].map((process) => process.kill('SIGTERM')))
    await sql.end()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready`)))
    child.once('message', (message) => resolve((message as { url?: string }).url ?? ''))
  })
}

/** CPU seconds that a process has used, from Linux's /proc; undefined elsewhere. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}

/** Resident memory in MB, from Linux's /proc; undefined elsewhere. */
export function memoryMb(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return (pages * 4096) / 1e6
  } catch {
    return undefined
  }
}

/** Asks every 10 ms until it is so. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10)
}
