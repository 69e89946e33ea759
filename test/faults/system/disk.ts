import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeFolder, removeFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'
import type { DatabaseServer, Fault } from '../trial/fault.ts'

const run = promisify(execFile)

/** The server's files go to a small disk, the disk fills up and is emptied again, and the files go back. */
export const diskFull: Fault = {
  kind: 'PostgreSQL disk full',
  transports: ['postgresql', 'rabbitmq'],
  effects: ['outage', 'restarts'],
  missing: () =>
    canMount() ? undefined : 'mounting a file system takes root and, in a container, SYS_ADMIN',
  async strike({ database }, random) {
    const cluster = join(database.dataDir, 'postgres')
    await database.stop()
    await goToSmallDisk(cluster)
    try {
      await database.start()
      await fillUp(database, join(cluster, 'ballast'), random.between(2_000, 6_000))
    } finally {
      await database.stop()
      await goBack(cluster)
      await database.start()
    }
    return { members: [] }
  },
}

function canMount(): boolean {
  const folder = makeFolder('mount')
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    removeFolder(folder)
  }
}

const roomMb = 64

/** The server must be stopped. */
async function goToSmallDisk(cluster: string): Promise<void> {
  const { uid, gid } = statSync(cluster)
  const { stdout: size } = await run('du', ['-sm', cluster])
  const disk = `size=${Number.parseInt(size, 10) + roomMb}m,mode=0700,uid=${uid},gid=${gid}`
  await rename(cluster, asideOf(cluster))
  await mkdir(cluster)
  await run('mount', ['-t', 'tmpfs', '-o', disk, 'none', cluster])
  await run('cp', ['-a', `${asideOf(cluster)}/.`, cluster])
}

async function goBack(cluster: string): Promise<void> {
  await rm(asideOf(cluster), { recursive: true })
  await run('cp', ['-a', cluster, asideOf(cluster)])
  await run('umount', [cluster])
  renameSync(asideOf(cluster), cluster) // over an empty folder
}

const asideOf = (cluster: string) => `${cluster}.aside`

const backWithinMs = 120_000

/** Keeps the disk full for this long from the first write that fails; resolves when writing works again. */
async function fillUp(database: DatabaseServer, ballast: string, forMs: number): Promise<void> {
  try {
    const refused = () => {
      takeRoom(ballast)
      return takesWrites(database).then((takes) => !takes)
    }
    await until(refused, { what: 'a full disk' })
    for (const untilMs = performance.now() + forMs; performance.now() < untilMs; await sleep(100)) {
      takeRoom(ballast) // what the server has freed
    }
  } finally {
    rmSync(ballast)
  }
  await until(() => takesWrites(database), { deadlineMs: backWithinMs, what: 'PostgreSQL writes again' })
}

/** All that is left. */
function takeRoom(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(roomOn(file)))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}

/** Bytes, one block at least. */
function roomOn(file: string): number {
  const { bavail, bsize } = statfsSync(join(file, '..'))
  return Math.max(1, bavail) * bsize
}

/** Tries with some pages, so that none that are left over elsewhere do. */
async function takesWrites({ query }: DatabaseServer): Promise<boolean> {
  const attempt = `
    create temporary table pages on commit drop as select n from generate_series(1, 100000) as n`
  return query(attempt).then(
    () => true,
    () => false,
  )
}
