import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { runningUrl } from '../../src/embedded/index.ts'
import { isAlive } from '../../src/runtime/is-alive.ts'
import { dataFolder } from '../support/data-folder.ts'
import { testFolder } from '../support/folder.ts'
import { freePort } from '../support/ports.ts'
import { postmasterPid } from '../support/postgres.ts'
import { runProcess, startProcess, type TestProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const readyWithinMs = 60_000

describe('millrace start', { timeout: 240_000 }, () => {
  it('finishes what runs at a Ctrl-C, exits with 0, and has everything again at the next start', async (t) => {
    const dataDir = testFolder(t)
    const first = await start(t, dataDir)
    const id = await submit(first, 'hello')
    await untilStatus(first, id, 'processing')

    // npm hands the terminal's signal on, so it comes twice.
    first.kill('SIGINT')
    first.kill('SIGINT')

    assert.equal(await first.exited, 0)
    assert.equal(await runningUrl(dataDir), undefined)
    const second = await start(t, dataDir)
    const task = await read(second, id)
    assert.equal(task.status, 'completed')
    assert.equal(task.attempt, 1)
    assert.equal(task.result, 5)
  })

  it('says each step, where things are, and a curl line that works', async (t) => {
    const system = await start(t, await dataFolder(t))

    const said = system.output()
    for (const name of ['PostgreSQL', 'database', 'api', 'worker'])
      assert.match(said, new RegExp(`^  ${name} +\\d+\\.\\d s  .+$`, 'm'))
    assert.match(said, /^Ready in \d+\.\d s$/m)
    assert.match(said, new RegExp(`^  Reference  ${system.url}/docs$`, 'm'))
    assert.match(
      said,
      new RegExp(
        `^  curl -s ${system.url}/tasks -H 'content-type: application/json' -d '{"payload":"hello"}'$`,
        'm',
      ),
    )
  })

  it('refuses a data directory that another one holds, and says which one', async (t) => {
    const dataDir = await dataFolder(t)
    const first = await start(t, dataDir)

    const second = await runProcess(t, ['start'], { env: { DATA_DIR: dataDir, PORT: '0' } })

    assert.equal(second.code, 1)
    assert.match(
      second.stderr,
      new RegExp(`^error: .+ is held by another millrace \\(pid ${first.pid}\\): .+$`, 'm'),
    )
    assert.equal((await fetch(`${first.url}/readyz`)).status, 200)
  })

  it('takes the next free port when its own is taken, and says by whom', async (t) => {
    const other = createServer().listen(await freePort(), '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const address = other.address()
    const taken = typeof address === 'object' && address ? address.port : 0

    const system = await start(t, await dataFolder(t), { PORT: String(taken) })

    assert.ok(Number(new URL(system.url).port) > taken)
    assert.match(
      system.output(),
      new RegExp(`port ${taken} is taken by .+ \\(pid ${process.pid}\\): taking \\d+ instead`),
    )
    assert.equal((await fetch(`${system.url}/readyz`)).status, 200)
  })

  it('starts a worker that was killed again, while the API goes on', async (t) => {
    const system = await start(t, await dataFolder(t))
    const [killed] = await workerPids(system)

    process.kill(killed ?? 0, 'SIGKILL')

    await until(async () => (await workerPids(system)).some((pid) => pid !== killed), {
      what: 'another worker',
      deadlineMs: 30_000,
    })
    assert.equal((await fetch(`${system.url}/healthz`)).status, 200)
    assert.match(system.output(), /the worker process ended \(SIGKILL\): starting it again/)
  })

  it('leaves nothing behind when it is killed, and starts again', async (t) => {
    const dataDir = await dataFolder(t)
    const killed = await start(t, dataDir)
    const server = postmasterPid(dataDir)
    const workers = await workerPids(killed)

    killed.kill('SIGKILL')

    await until(() => [server, ...workers].every((pid) => !isAlive(pid)), {
      what: 'server and worker are gone',
      deadlineMs: 30_000,
    })
    await until(
      () =>
        fetch(killed.url).then(
          () => false,
          () => true,
        ),
      { what: 'the API is gone', deadlineMs: 30_000 },
    )
    const next = await start(t, dataDir)
    assert.equal((await fetch(`${next.url}/readyz`)).status, 200)
  })

  it('exits at once at a second Ctrl-C', async (t) => {
    const dataDir = await dataFolder(t)
    const system = await start(t, dataDir)
    const workers = await workerPids(system)
    const id = await submit(system, 'hello')
    await untilStatus(system, id, 'processing')
    system.kill('SIGINT')
    await until(() => system.output().includes('stopping: SIGINT'), { what: 'it has heard the first one' })
    let ended = false
    void system.exited.then(() => {
      ended = true
    })

    await until(
      () => {
        if (!ended) system.kill('SIGINT')
        return ended
      },
      { what: 'it is gone' },
    )

    assert.equal(await system.exited, 130)
    await until(() => workers.every((pid) => !isAlive(pid)), { what: 'the worker is gone too' })
  })

  it('says which database it cannot reach', async (t) => {
    const url = `postgresql://me:secret@127.0.0.1:${await freePort()}/tasks`

    const refused = await runProcess(t, ['start'], { env: { DATABASE_URL: url, PORT: '0' } })

    assert.equal(refused.code, 7)
    assert.match(
      refused.stderr,
      /^error: the database at postgresql:\/\/me:\*\*\*@127.+ cannot be used .+: start it/m,
    )
    assert.doesNotMatch(refused.stderr, /secret/)
  })

  it('gives up when a process cannot start, and leaves nothing running', async (t) => {
    const dataDir = await dataFolder(t)
    const tasks = testFolder(t)

    const refused = await runProcess(t, ['start'], {
      env: { DATA_DIR: dataDir, PORT: '0', TASKS: `${tasks}/missing.ts` },
    })

    assert.notEqual(refused.code, 0)
    assert.match(refused.stderr, /^error: the worker process ended \(exit code \d+\) before it was ready/m)
    assert.equal(await runningUrl(dataDir), undefined)
  })
})

function start(t: TestContext, dataDir: string, env: Record<string, string> = {}): Promise<TestProcess> {
  return startProcess(t, ['start'], { env: { DATA_DIR: dataDir, PORT: '0', ...env }, readyWithinMs })
}

type Task = { id: string; status: string; attempt: number; result: unknown }

async function submit({ url }: TestProcess, payload: unknown): Promise<string> {
  const reply = await fetch(`${url}/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ payload }),
  })
  assert.equal(reply.status, 201)
  return (await json<Task>(reply)).id
}

async function read({ url }: TestProcess, id: string): Promise<Task> {
  const reply = await fetch(`${url}/tasks/${id}`)
  assert.equal(reply.status, 200)
  return json<Task>(reply)
}

function untilStatus(system: TestProcess, id: string, status: string) {
  return until(async () => (await read(system, id)).status === status, { what: `the task is ${status}` })
}

async function workerPids({ url }: TestProcess): Promise<number[]> {
  const reply = await fetch(`${url}/workers`)
  const workers = await json<{ pid: number }[]>(reply)
  return workers.map(({ pid }) => pid)
}

/** What the API's own tests have checked the shape of. */
async function json<Body>(reply: Response): Promise<Body> {
  return (await reply.json()) as Body
}
