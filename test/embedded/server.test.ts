import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import pg from 'pg'
import { runningUrl, startEmbedded } from '../../src/embedded/index.ts'
import { isAlive } from '../../src/runtime/is-alive.ts'
import { dataFolder, settings } from '../support/data-folder.ts'
import { postmasterPid, query } from '../support/postgres.ts'
import { until } from '../support/until.ts'

describe('the embedded server', () => {
  it('keeps its data and its address from one start to the next', async (t) => {
    const dataDir = await dataFolder(t)
    const first = await startEmbedded({ dataDir, settings })
    await query(first.url, 'create table kept (n int)')
    await first.stop()

    const second = await startEmbedded({ dataDir, settings })
    t.after(second.stop)

    assert.equal(second.url, first.url)
    assert.deepEqual(await query(second.url, 'select * from kept'), [])
    assert.equal(second.adopted, false)
  })

  it('takes another port when somebody else has the one of last time', async (t) => {
    const dataDir = await dataFolder(t)
    const first = await startEmbedded({ dataDir, settings })
    await first.stop()
    const other = createServer().listen(Number(portOf(first.url)), '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')

    const second = await startEmbedded({ dataDir, settings })
    t.after(second.stop)

    assert.notEqual(portOf(second.url), portOf(first.url))
    assert.deepEqual(await query(second.url, 'select 1 as one'), [{ one: 1 }])
  })

  it('lets nobody in without the password, which only its owner can read', async (t) => {
    const dataDir = await dataFolder(t)
    const server = await startEmbedded({ dataDir, settings })
    t.after(server.stop)
    const wrong = new URL(server.url)
    wrong.password = 'guess'

    await assert.rejects(query(wrong.href, 'select 1'), /password authentication failed/)
    assert.equal(statSync(join(dataDir, 'postgres/millrace.json')).mode & 0o077, 0)
    assert.equal(statSync(join(dataDir, 'postgres')).mode & 0o077, 0)
  })

  it('writes what it promised to disk: only the tests turn that off', async (t) => {
    const server = await startEmbedded({ dataDir: await dataFolder(t) })
    t.after(server.stop)

    const [row] = await query(
      server.url,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
              current_setting('full_page_writes') as pages, current_setting('listen_addresses') as listens,
              current_setting('server_encoding') as encoding, datcollate as collation
         from pg_database where datname = current_database()`,
    )
    assert.deepEqual(row, {
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      listens: '127.0.0.1',
      encoding: 'UTF8',
      collation: 'C',
    })
  })

  it('comes back at the same address when it is killed', async (t) => {
    const dataDir = await dataFolder(t)
    const lines: string[] = []
    const server = await startEmbedded({ dataDir, settings, report: (line) => lines.push(line) })
    t.after(server.stop)
    await query(server.url, 'create table kept (n int)')

    process.kill(postmasterPid(dataDir), 'SIGKILL')

    await until(() => lines.includes('PostgreSQL is back'), {
      what: 'the server is back',
      deadlineMs: 30_000,
    })
    assert.deepEqual(await query(server.url, 'select * from kept'), [])
  })

  it('is gone when it was stopped, also while sessions were open and when asked twice', async (t) => {
    const dataDir = await dataFolder(t)
    const server = await startEmbedded({ dataDir, settings })
    const pid = postmasterPid(dataDir)
    const client = new pg.Client(server.url)
    client.on('error', () => {})
    await client.connect()

    await Promise.all([server.stop(), server.stop()])

    assert.equal(isAlive(pid), false)
    assert.equal(await runningUrl(dataDir), undefined)
    assert.match(readFileSync(join(dataDir, 'postgres.log'), 'utf8'), /database system is shut down\n$/)
  })

  it('is not stopped by the Ctrl-C that is meant for us', async (t) => {
    const dataDir = await dataFolder(t)
    const server = await startEmbedded({ dataDir, settings })
    t.after(server.stop)

    const group = processGroup(postmasterPid(dataDir))

    assert.notEqual(group, processGroup(process.pid))
  })
})

function portOf(url: string): string {
  return new URL(url).port
}

/** The fifth field of `/proc/PID/stat`, counted behind the name, which may hold blanks. */
function processGroup(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[2]
}
