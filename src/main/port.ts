import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

const portsTried = 100

export type PortChoice = { port: number; takenBy?: string }

/**
 * The port itself if it can be listened on, else the next one that can, and who has the one that was wanted.
 * Fails with the system's error where no other port would do better.
 */
export async function choosePort(host: string, wanted: number): Promise<PortChoice> {
  if (await isFree(host, wanted)) return { port: wanted }
  const last = Math.min(65_535, wanted + portsTried)
  for (let port = wanted + 1; port <= last; port++)
    if (await isFree(host, port)) return { port, takenBy: holderOf(wanted) ?? 'another program' }
  return { port: 0, takenBy: holderOf(wanted) ?? 'another program' }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** `node (pid 123)`, where the system tells us. */
export function holderOf(port: number): string | undefined {
  return process.platform === 'linux' ? holderInProc(port) : holderByLsof(port)
}

function holderInProc(port: number): string | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)))
  if (inodes.size === 0) return undefined
  for (const link of globSync('/proc/[0-9]*/fd/*')) {
    const inode = readOr(() => readlinkSync(link)).match(/^socket:\[(\d+)\]$/)?.[1]
    if (inode === undefined || !inodes.has(inode)) continue
    const pid = link.split('/')[2]
    return `${readOr(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).trim()} (pid ${pid})`
  }
  return undefined
}

/** Columns: number, local address, remote address, state (0A listens), …, and tenth the inode. */
function listeningInodes(table: string, port: number): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readOr(() => readFileSync(table, 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === '0A' && local?.endsWith(ending))
    .flatMap((columns) => columns[9] ?? [])
}

function holderByLsof(port: number): string | undefined {
  const { stdout } = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' })
  const [, pid, command] = stdout?.match(/^p(\d+)\nc(.+)$/m) ?? []
  return pid === undefined ? undefined : `${command} (pid ${pid})`
}

/** Processes of others, and those that end while we look. */
function readOr(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
