import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedError, explain } from './errors.ts'
import { serverEnvironment } from './settings.ts'

/** A folder with a database cluster, and what it takes to get in. */
export type Cluster = { dir: string; account: Account | undefined; access: Access }

/** Kept in the cluster's own folder, for its owner's eyes only: without it nobody on this machine gets in. */
export type Access = { user: string; password: string; port: number | null }

const accessFile = 'millrace.json'
const halfMade = 'postgres.init-'

/**
 * The cluster in `<dataDir>/postgres`, made if there is none. It is made in a folder beside it and renamed when
 * it is complete, so a start that is killed half-way leaves nothing that the next one could take for a cluster.
 */
export async function openCluster(
  dataDir: string,
  { binaries, account }: { binaries: Binaries; account: Account | undefined },
): Promise<Cluster> {
  const dir = join(dataDir, 'postgres')
  removeHalfMade(dataDir)
  if (!existsSync(dir) || readdirSync(dir).length === 0) {
    await makeCluster(dataDir, { dir, binaries, account })
    removeHalfMade(dataDir) // an initdb whose parent was killed makes its folder again when it is taken away early
  }
  checkComplete(dir, binaries)
  return { dir, account, access: readAccess(dir) }
}

function removeHalfMade(dataDir: string): void {
  for (const name of readdirSync(dataDir))
    if (name.startsWith(halfMade)) rmSync(join(dataDir, name), { recursive: true, force: true })
}

/** The cluster in `<dataDir>/postgres` as somebody sees it who only wants to connect to it, if there is one. */
export function knownCluster(dataDir: string): Cluster | undefined {
  const dir = join(dataDir, 'postgres')
  if (!existsSync(join(dir, accessFile))) return undefined
  return { dir, account: undefined, access: readAccess(dir) }
}

/** Remembers the port, so that the address stays the same from one start to the next where it can. */
export function rememberPort({ dir, account, access }: Cluster, port: number): Cluster {
  const remembered = { ...access, port }
  if (access.port !== port) writeAccess(dir, remembered, account)
  return { dir, account, access: remembered }
}

/**
 * How a process of the cluster's account is to be pointed at a folder. That account may lack the permission to
 * walk there (a checkout below `/root`), which is not needed by who starts in it and calls it by its Linux name
 * for "where I am".
 */
export function placeOf({ dir, account }: Pick<Cluster, 'dir' | 'account'>): { cwd: string; path: string } {
  return { cwd: dir, path: account && process.platform === 'linux' ? '/proc/self/cwd' : dir }
}

async function makeCluster(
  dataDir: string,
  { dir, binaries, account }: { dir: string; binaries: Binaries; account: Account | undefined },
): Promise<void> {
  const workshop = mkdtempSync(join(dataDir, halfMade))
  try {
    const made = join(workshop, 'postgres')
    mkdirSync(made, { mode: 0o700 })
    const password = randomBytes(24).toString('base64url')
    writeFileSync(join(workshop, 'password'), password, { mode: 0o600 })
    if (account)
      for (const path of [workshop, made, join(workshop, 'password')])
        chownSync(path, account.uid, account.gid)
    const said = await initdb(binaries.initdb, { dir: made, account })
    if (said !== undefined) throw new EmbeddedError(explain(dataDir, said))
    writeAccess(made, { user: 'millrace', password, port: null }, account)
    renameSync(made, dir)
  } finally {
    rmSync(workshop, { recursive: true, force: true })
  }
}

/** Answers what initdb said if it failed. */
async function initdb(program: string, made: Pick<Cluster, 'dir' | 'account'>): Promise<string | undefined> {
  const { cwd, path } = placeOf(made)
  const args = ['-D', path, '--username=millrace', `--pwfile=${path}/../password`]
  args.push('--auth=scram-sha-256', '--locale=C', '--encoding=UTF8', '--no-instructions')
  const { uid, gid } = made.account ?? {}
  const child = spawn(program, args, {
    cwd,
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
  })
  const code = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const [said, ended] = await Promise.all([text(child.stderr), code])
  return ended === 0 ? undefined : said
}

function checkComplete(dir: string, binaries: Binaries): void {
  for (const file of ['PG_VERSION', 'global/pg_control', accessFile])
    if (!existsSync(join(dir, file)))
      throw new EmbeddedError(
        `${dir} is not a complete data directory (${file} is missing): put it back, or move the folder away to begin anew`,
      )
  const madeBy = readFileSync(join(dir, 'PG_VERSION'), 'utf8').trim()
  const [ours] = binaries.version.split('.')
  if (madeBy !== ours)
    throw new EmbeddedError(
      `${dir} was made by PostgreSQL ${madeBy} and this Millrace brings ${ours}: move the data over with pg_dump, or set DATA_DIR to another folder`,
    )
}

function readAccess(dir: string): Access {
  const file = join(dir, accessFile)
  try {
    // Written by writeAccess below, and by nobody else.
    return JSON.parse(readFileSync(file, 'utf8')) as Access
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new EmbeddedError(`${file} cannot be read: put it back, or move ${dir} away to begin anew`, error)
  }
}

function writeAccess(dir: string, access: Access, account: Account | undefined): void {
  const file = join(dir, accessFile)
  const half = `${file}.new`
  writeFileSync(half, `${JSON.stringify(access)}\n`, { mode: 0o600 })
  if (account) chownSync(half, account.uid, account.gid)
  renameSync(half, file)
}
