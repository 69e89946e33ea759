import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HeldError } from './errors.ts'

/**
 * Holds a data directory for this process until `release` or its death, however it dies.
 *
 * A file with a process id cannot promise that: ids are used again, and in a container they are always the same.
 * The system's own file locks can, and SQLite is the way to one that Node brings along.
 */
export function holdDirectory(dataDir: string): { release(): void } {
  const pidFile = join(dataDir, 'millrace.pid')
  const lock = new DatabaseSync(join(dataDir, 'millrace.lock'), { timeout: 0 })
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new HeldError(
      `${dataDir} is held by another millrace${pidIn(pidFile)}: stop that one, or set DATA_DIR to another folder`,
    )
  }
  writeFileSync(pidFile, `${process.pid}\n`)
  return { release: () => lock.close() }
}

const sqliteBusy = 5

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
}

function pidIn(file: string): string {
  try {
    return ` (pid ${Number.parseInt(readFileSync(file, 'utf8'), 10)})`
  } catch {
    return ''
  }
}
