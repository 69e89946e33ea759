import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createClient, TaskCanceledError } from '../../src/client/index.ts'
import { freePort, listens } from '../support/ports.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { program, runMillrace } from './run-millrace.ts'

const handlers = join(import.meta.dirname, '../fixtures/tasks.ts')

describe('the command line and a real system', () => {
  it('submit, wait, get, cancel, retry and import', async (t) => {
    const env = { DATABASE_URL: await testDatabase(t), PORT: '0' }
    const [{ url }] = await Promise.all([
      startProcess(t, ['api'], { env }),
      startProcess(t, ['worker'], { env }),
    ])
    const run = (args: string[], input = '') => runMillrace(t, args, { url, input })

    const waited = await run(['submit', '"hello"', '--wait'])
    assert.equal(JSON.parse(waited.stdout).result, 5)

    const odd = '{"n":12345678901234567890, "f":1.0, "e":1e400}'
    const id = (await run(['submit', odd, '--delay', '1h', '-o', 'ids'])).stdout.trim()
    assert.ok((await run(['get', id])).stdout.includes(odd))
    assert.equal(JSON.parse((await run(['cancel', id])).stdout).status, 'canceled')
    assert.equal((await run(['wait', id])).code, 4)
    assert.equal(JSON.parse((await run(['retry', id])).stdout).status, 'pending')

    const imported = await run(
      ['submit', '--file', '-', '--delay', '1h'],
      '{"payload":1}\n{"payload":2,"typ":"x"}\n{"payload":3}\n',
    )
    assert.match(imported.stderr, /line 2: .*typ.*did you mean.*type/)
    assert.match(imported.stderr, /2 tasks stored in batch \S+, 1 bad line left out/)

    const stats = JSON.parse((await run(['stats'])).stdout)
    assert.equal(stats.counts.scheduled, 2)
    assert.deepEqual(JSON.parse((await run(['workers'])).stdout).queues, ['default'])

    const doctor = await runMillrace(t, ['doctor', '-o', 'table'], {
      env: { ...env, PORT: new URL(url).port },
    })
    assert.match(
      doctor.stdout,
      /ok +database +PostgreSQL [\s\S]*ok +migrations [\s\S]*ok +port +Millrace .* answers/,
    )
    assert.equal(doctor.code, 0)
  })

  it('measure how fast tasks of a type are submitted and run', async (t) => {
    const env = { DATABASE_URL: await testDatabase(t), PORT: '0', TASKS: handlers }
    const { url } = await startProcess(t, ['api'], { env })
    const bench = (...args: string[]) =>
      runMillrace(t, ['bench', '--tasks', '250', '--batch', '100', '--payload', '{"n":1}', ...args], { url })
    const unserved = await bench('--type', 'echo')
    assert.equal(unserved.code, 1)
    assert.match(unserved.stderr, /no live worker runs tasks of type echo/)

    await startProcess(t, ['worker'], { env })
    const run = await bench('--type', 'echo')

    assert.equal(run.code, 0, run.stderr)
    assert.match(
      run.stdout,
      /submitted +\d.* tasks\/s in requests of 100\nrequests +p50 .*\ntasks +250 completed\n/,
    )
    assert.deepEqual(await query(env.DATABASE_URL, 'select count(*)::int as n from millrace.tasks'), [
      { n: 250 },
    ])
  })

  it('wait through the client until a task is canceled by another', async (t) => {
    const env = { DATABASE_URL: await testDatabase(t), PORT: '0' }
    const { url } = await startProcess(t, ['api'], { env })
    const millrace = createClient({ url })
    const task = await millrace.submit('nobody.serves.this', { n: 1 })
    // Listened to before the cancellation is sent: the result may be there before the answer to it.
    const refused = assert.rejects(task.result({ timeoutMs: 20_000 }), TaskCanceledError)
    await millrace.cancel(task.id)
    await refused
  })
})

describe('the demonstration', () => {
  it('runs 1,000 tasks at once on a system of its own and leaves nothing running', async (t) => {
    const port = await freePort()
    const env = { DATABASE_URL: await testDatabase(t) }
    const run = await runMillrace(t, ['demo'], { url: `http://127.0.0.1:${port}`, env })
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stdout, /tasks +1,000 completed[\s\S]*throughput[\s\S]*waiting +p50[\s\S]*running +p50/)
    assert.equal(await listens(port), false)
  })

  it('stops what it has started when it is interrupted, and exits with 130', async (t) => {
    const port = await freePort()
    const database = await testDatabase(t)
    const env = { ...process.env, DATABASE_URL: database, MILLRACE_URL: `http://127.0.0.1:${port}` }
    const demo = spawn(process.execPath, [program, 'demo'], { env, stdio: 'ignore' })
    const ended = once(demo, 'exit')
    await until(async () => (await query(database, 'select from millrace.tasks limit 1')).length > 0, {
      what: 'the first task',
      deadlineMs: 60_000,
    })
    demo.kill('SIGINT')
    assert.deepEqual(await ended, [130, null])
    assert.equal(await listens(port), false)
  })

  it('says why the system did not start', async (t) => {
    const env = { DATABASE_URL: `postgres://127.0.0.1:${await freePort()}/none` }
    const run = await runMillrace(t, ['demo'], { url: `http://127.0.0.1:${await freePort()}`, env })
    assert.equal(run.code, 1)
    assert.match(run.stderr, /did not start:[\s\S]*ECONNREFUSED/)
  })
})
