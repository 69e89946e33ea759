import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runningUrl, startEmbedded } from '../../src/embedded/index.ts'
import { isAlive } from '../../src/runtime/is-alive.ts'
import { dataFolder, settings } from '../support/data-folder.ts'
import { testFolder } from '../support/folder.ts'
import { postmasterPid, query } from '../support/postgres.ts'
import { startScript } from '../support/process.ts'
import { until } from '../support/until.ts'

const holder = join(import.meta.dirname, 'holder.ts')

describe('what killed processes leave behind', () => {
  it('is no server: one whose process is killed with -9 stops, in the orderly way', async (t) => {
    const dataDir = await dataFolder(t)
    const killed = await startScript(t, [holder, dataDir])
    const pid = postmasterPid(dataDir)

    killed.kill('SIGKILL')

    await until(() => !isAlive(pid), { what: 'the server is gone' })
    assert.match(readFileSync(join(dataDir, 'postgres.log'), 'utf8'), /database system is shut down\n$/)
  })

  it('does not keep the next start from starting, while the last server is still stopping', async (t) => {
    const dataDir = await dataFolder(t)
    const killed = await startScript(t, [holder, dataDir])
    await query(killed.url, 'create table kept (n int)')
    killed.kill('SIGKILL')
    await killed.exited

    const next = await startEmbedded({ dataDir, settings })
    t.after(next.stop)

    assert.equal(next.url, killed.url)
    await until(() => query(next.url, 'select * from kept').then(() => true), { what: 'the data is there' })
  })

  it('is adopted when it is a server that runs, and stopped with its new keeper', async (t) => {
    const dataDir = await dataFolder(t)
    const killed = await startScript(t, [holder, dataDir])
    const pid = postmasterPid(dataDir)
    await orphan(killed.pid, pid)
    await killed.exited

    const next = await startEmbedded({ dataDir, settings })

    assert.equal(next.adopted, true)
    assert.equal(postmasterPid(dataDir), pid)
    assert.deepEqual(await query(next.url, 'select 1 as one'), [{ one: 1 }])
    await next.stop()
    assert.equal(await runningUrl(dataDir), undefined)
  })

  it('may be a postmaster.pid whose number is another program by now', async (t) => {
    const dataDir = await dataFolder(t)
    const stranger = sleeperOf(t, join(dataDir, 'postgres'))
    writeStalePid(dataDir, stranger.pid ?? 0)

    const next = await startEmbedded({ dataDir, settings })
    t.after(next.stop)

    assert.equal(next.adopted, false)
    assert.notEqual(postmasterPid(dataDir), stranger.pid)
    assert.equal(isAlive(stranger.pid ?? 0), true)
  })

  it('may be half of a cluster, which is removed', async (t) => {
    const dataDir = testFolder(t)
    const killed = spawn(process.execPath, [holder, dataDir], { stdio: 'ignore', detached: true })
    await until(() => readdirSync(dataDir).find((name) => name.startsWith('postgres.init-')), {
      what: 'a cluster in the making',
    })
    process.kill(-killed.pid!, 'SIGKILL') // with what it has started
    await once(killed, 'exit')

    const next = await startEmbedded({ dataDir, settings })
    t.after(next.stop)

    assert.deepEqual(await query(next.url, 'select 1 as one'), [{ one: 1 }])
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name.startsWith('postgres.init-')),
      [],
    )
  })
})

/** Kills the keeper together with the shells that would stop the server after it. */
async function orphan(keeperPid: number, serverPid: number): Promise<void> {
  const shell = parentOf(serverPid)
  const watchers = childrenOf(shell).filter((pid) => pid !== serverPid)
  for (const pid of [...watchers, shell, keeperPid]) process.kill(pid, 'SIGKILL')
  await until(() => parentOf(serverPid) !== shell, { what: 'the server is an orphan' })
}

function parentOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

/** A program of the account that the folder belongs to: PostgreSQL is misled by those of its own account only. */
function sleeperOf(t: TestContext, folder: string): ChildProcess {
  const { uid, gid } = statSync(folder)
  const child = spawn('sleep', ['600'], { stdio: 'ignore', uid, gid })
  t.after(() => child.kill())
  return child
}

function writeStalePid(dataDir: string, pid: number): void {
  const lines = [pid, join(dataDir, 'postgres'), 1_700_000_000, 1, '', '127.0.0.1', '  1  1', 'ready   ']
  writeFileSync(join(dataDir, 'postgres/postmaster.pid'), `${lines.join('\n')}\n`)
}
