import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../test/support/folder.ts'

/** Where and when something was measured: without it a figure means nothing. */
export type Stamp = {
  at: string
  revision: string
  cpu: string
  cores: number
  memoryGb: number
  os: string
  node: string
  /** Median time of an fsync of 8 kB, milliseconds: the least a durable commit can take. */
  fsyncMs: number
  /** Processes that wanted to run during the last minute. */
  load: number
}

const busyAbove = 0.5
const fsyncs = 50

export function takeStamp(): Stamp {
  const [cpu] = cpus()
  return {
    at: new Date().toISOString(),
    revision: revision(),
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.version,
    fsyncMs: fsyncTime(),
    load: loadavg()[0] ?? 0,
  }
}

/** Why the machine is too busy to be believed, if it is. */
export function busyness({ load, cores }: Stamp): string | undefined {
  if (load <= busyAbove * cores) return undefined
  return `the machine is busy (load ${load.toFixed(1)} on ${cores} cores): trust the ratios of one run, not the numbers`
}

export function stampText(stamp: Stamp): string {
  const { cpu, cores, memoryGb, os, node, fsyncMs, load, revision, at } = stamp
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${os}, Node.js ${node}\nfsync ${fsyncMs.toFixed(2)} ms, load ${load.toFixed(1)}, revision ${revision}, ${at}`
}

function revision(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const isDirty = git('status', '--porcelain').length > 0
    return `${git('rev-parse', '--short', 'HEAD').trim()}${isDirty ? ' and changes' : ''}`
  } catch {
    return 'unknown'
  }
}

function fsyncTime(): number {
  const folder = makeFolder('bench')
  const file = openSync(join(folder, 'fsync'), 'w')
  const page = Buffer.alloc(8192)
  const took = Array.from({ length: fsyncs }, () => {
    writeSync(file, page, 0, page.length, 0)
    const fromMs = performance.now()
    fsyncSync(file)
    return performance.now() - fromMs
  })
  closeSync(file)
  removeFolder(folder)
  return took.sort((a, b) => a - b)[fsyncs / 2]!
}
