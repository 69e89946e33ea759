import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../support/until.ts'

export type Memory = { rss: number; heapUsed: number; external: number }

/** The environment with which a process answers `memoryOf`. */
export function observedThrough(file: string): Record<string, string> {
  const program = join(import.meta.dirname, 'memory-program.ts')
  return { MEMORY_FILE: file, NODE_OPTIONS: `--expose-gc --import ${program}` }
}

/** The memory, in bytes, that a process has in use after it has collected its garbage. */
export async function memoryOf(pid: number, file: string): Promise<Memory> {
  const before = linesOf(file, pid).length
  process.kill(pid, 'SIGUSR2')
  return until(() => linesOf(file, pid)[before], { what: `the memory of process ${pid}`, deadlineMs: 30_000 })
}

/** The same once two readings after one another hardly differ. */
export function settledMemoryOf(pid: number, file: string): Promise<Memory> {
  let last = Number.POSITIVE_INFINITY
  const settled = async () => {
    const memory = await memoryOf(pid, file)
    const isSettled = Math.abs(memory.rss - last) < 0.01 * memory.rss
    last = memory.rss
    return isSettled && memory
  }
  return until(settled, { what: `a settled memory of process ${pid}`, deadlineMs: 60_000 })
}

function linesOf(file: string, pid: number): Memory[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as Memory & { pid: number }).filter((line) => line.pid === pid)
}

/** Files, sockets and pipes that a process has open. */
export function openHandles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
