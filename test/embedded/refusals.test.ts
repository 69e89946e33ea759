import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { explain } from '../../src/embedded/errors.ts'
import { HeldError, startEmbedded } from '../../src/embedded/index.ts'
import { dataFolder, settings } from '../support/data-folder.ts'
import { testFolder } from '../support/folder.ts'
import { runScript, startScript } from '../support/process.ts'

const holder = join(import.meta.dirname, 'holder.ts')
const nobody = 65_534

describe('a data directory that cannot be used is refused in one sentence', () => {
  it('that names the process which holds it', async (t) => {
    const dataDir = await dataFolder(t)
    const other = await startScript(t, [holder, dataDir])

    const second = await runScript(t, [holder, dataDir])

    assert.equal(second.code, 1)
    assert.equal(
      second.stdout,
      `${dataDir} is held by another millrace (pid ${other.pid}): stop that one, or set DATA_DIR to another folder\n`,
    )
  })

  it('also to the slower of two that start at the same moment', async (t) => {
    const dataDir = testFolder(t)

    const both = await Promise.allSettled([
      startEmbedded({ dataDir, settings }),
      startEmbedded({ dataDir, settings }),
    ])

    const [server] = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const refused = both.filter((each) => each.status === 'rejected')
    await server?.stop()
    assert.equal(refused.length, 1)
    assert.ok(refused[0]?.reason instanceof HeldError)
  })

  it('and is free again when the start that held it has failed', async (t) => {
    const dataDir = testFolder(t)
    mkdirSync(join(dataDir, 'postgres/base'), { recursive: true })
    await assert.rejects(startEmbedded({ dataDir, settings }), /not a complete data directory/)
    rmSync(join(dataDir, 'postgres'), { recursive: true })

    const server = await startEmbedded({ dataDir, settings })

    await server.stop()
  })

  it('that says what is missing in half of a cluster', async (t) => {
    const dataDir = await dataFolder(t)

    for (const file of ['millrace.json', 'global/pg_control', 'PG_VERSION']) {
      rmSync(join(dataDir, 'postgres', file))
      const sentence = `${dataDir}/postgres is not a complete data directory (${file} is missing): put it back, or move the folder away to begin anew`
      await assert.rejects(startEmbedded({ dataDir, settings }), { name: 'EmbeddedError', message: sentence })
    }
  })

  it('that says which PostgreSQL has made it', async (t) => {
    const dataDir = await dataFolder(t)
    writeFileSync(join(dataDir, 'postgres/PG_VERSION'), '15\n')

    await assert.rejects(startEmbedded({ dataDir, settings }), {
      name: 'EmbeddedError',
      message: new RegExp(`^${dataDir}/postgres was made by PostgreSQL 15 and this Millrace brings \\d+: .+`),
    })
  })

  it('that says what cannot be read', async (t) => {
    const dataDir = await dataFolder(t)
    writeFileSync(join(dataDir, 'postgres/millrace.json'), '{"user":')

    await assert.rejects(startEmbedded({ dataDir, settings }), /millrace\.json cannot be read: put it back/)
  })

  it('that says whose permission is lacking', {
    skip: !canRunAsNobody() && 'takes root, and a checkout that others can reach',
  }, async (t) => {
    const dataDir = testFolder(t)
    chmodSync(dataDir, 0o755)

    const refused = await runScript(t, [holder, dataDir], { uid: nobody })

    assert.match(refused.stdout, new RegExp(`^no permission to use ${dataDir}: run as .+\\n$`))
  })

  it('that names a file in its place', async (t) => {
    const file = join(testFolder(t), 'file')
    writeFileSync(file, '')

    await assert.rejects(startEmbedded({ dataDir: file, settings }), { name: 'EmbeddedError' })
  })
})

describe('what initdb and postgres say becomes a sentence', () => {
  it('for a full disk', () => {
    const said = 'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device'
    assert.equal(explain('/d', said), 'the disk that holds /d is full: free some space and start again')
  })

  it('for a read-only disk, which is no matter of permissions', () => {
    assert.match(explain('/d', 'EROFS: read-only file system, mkdir'), /^\/d is on a read-only file system/)
  })

  it('for a lock that PostgreSQL itself has found', () => {
    const said = `FATAL:  lock file "postmaster.pid" already exists\nHINT:  Is another postmaster (PID 42) running in data directory "/d"?`
    assert.match(explain('/d', said), /^\/d is in use by process 42: stop it/)
  })

  it('for anything else: its last complaint, and where the rest is', () => {
    const said =
      'LOG:  starting\nFATAL:  the moon is in the wrong phase\nLOG:  database system is shut down\n'
    assert.equal(
      explain('/d', said, '/d/postgres.log'),
      'PostgreSQL did not start in /d: FATAL:  the moon is in the wrong phase (all of it in /d/postgres.log)',
    )
  })
})

function canRunAsNobody(): boolean {
  return spawnSync(process.execPath, [holder, '/dev/null'], { uid: nobody, gid: nobody }).error === undefined
}
