import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { assertCountsExact, startSystem } from '../conformance/system.ts'
import { until } from '../support/until.ts'

const root = join(import.meta.dirname, '..', '..')
const hasPython = spawnSync('python3', ['--version']).status === 0
const skip = hasPython ? false : 'there is no python3'

async function startPython(t: TestContext) {
  const system = await startSystem(t, {
    name: 'PostgreSQL alone',
    skip: false,
    amqpUrl: async () => undefined,
  })
  const url = await system.app.listen({ host: '127.0.0.1', port: 0 })
  const start = (): ChildProcess => {
    const env = { ...process.env, MILLRACE_URL: url, LEASE_MS: '3000' }
    const child = spawn('python3', ['examples/worker.py'], { cwd: root, env, stdio: 'inherit' })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  const untilRunning = (id: string) =>
    until(async () => (await system.get(`/tasks/${id}`)).body.status === 'processing', {
      what: 'a running task',
    })
  return { system, start, untilRunning }
}

describe('the worker in Python', { skip, concurrency: 2 }, () => {
  it('returns results and reports what was raised', async (t) => {
    const { system, start } = await startPython(t)
    start()
    const length = await system.submit({ type: 'python.length', payload: 'four' })
    const broken = await system.submit({ type: 'python.divide', payload: { a: 1, b: 0 }, maxAttempts: 1 })

    assert.equal((await system.finished(length)).result, 4)
    const { error } = await system.finished(broken)
    assert.deepEqual([error.name, error.message], ['ZeroDivisionError', 'division by zero'])
    assert.match(error.stack, /Traceback/)
    await assertCountsExact(system.databaseUrl)
  })

  it('stops what was canceled, and goes on', async (t) => {
    const { system, start, untilRunning } = await startPython(t)
    start()
    const id = await system.submit({ type: 'python.sleep', payload: { seconds: 600 } })
    await untilRunning(id)
    await system.post(`/tasks/${id}/cancel`)

    const next = await system.finished(await system.submit({ type: 'python.length', payload: '' }))

    assert.equal(next.status, 'completed')
    assert.equal((await system.get(`/tasks/${id}`)).body.status, 'canceled')
  })

  it('hands back what runs when it is told to stop, and its heir runs it', async (t) => {
    const { system, start, untilRunning } = await startPython(t)
    const worker = start()
    const id = await system.submit({ type: 'python.sleep', payload: { seconds: 1 } })
    await untilRunning(id)
    worker.kill('SIGTERM')
    await once(worker, 'exit')
    assert.equal((await system.get(`/tasks/${id}`)).body.status, 'pending')
    assert.equal((await system.get('/workers')).body.length, 0)

    start()
    const task = await system.finished(id)
    assert.deepEqual([task.status, task.attempt, task.attempts], ['completed', 2, []])
  })

  it('loses what runs when it is killed, and another runs it', async (t) => {
    const { system, start, untilRunning } = await startPython(t)
    const worker = start()
    const id = await system.submit({ type: 'python.sleep', payload: { seconds: 1 }, maxAttempts: 1 })
    await untilRunning(id)
    worker.kill('SIGKILL')
    start()

    const task = await system.finished(id)
    assert.deepEqual([task.status, task.attempt, task.attempts], ['completed', 2, []])
    await system.untilIdle()
    await assertCountsExact(system.databaseUrl)
  })
})
