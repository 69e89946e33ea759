import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { TaskFailedError, TaskTimeoutError } from '../../src/client/index.ts'
import { defineTask, NonRetryableError } from '../../src/index.ts'
import { startTesting, type TestingOptions } from '../../src/testing/index.ts'
import { listens } from '../support/ports.ts'
import { testDatabase } from '../support/postgres.ts'

const hourMs = 3_600_000

async function testing(t: TestContext, options: Partial<TestingOptions> = {}) {
  const calls: unknown[] = []
  const note = defineTask({
    type: 'note',
    run(input, { attempt }) {
      calls.push(input)
      return { input, attempt }
    },
  })
  const double = defineTask({
    type: 'double',
    runBatch: (inputs, { tasks }) => {
      assert.equal(tasks.length, inputs.length)
      return inputs.map((input) => Number(input) * 2)
    },
  })
  let stop = async () => {}
  t.after(() => stop()) // before the database goes, without which nothing can be handed back
  const databaseUrl = await testDatabase(t)
  const millrace = await startTesting({ tasks: [note, double], databaseUrl, ...options })
  stop = millrace.stop
  return { millrace, calls }
}

describe('millrace/testing', { timeout: 170_000 }, () => {
  it('brings everything up in this process, and leaves nothing behind', async () => {
    const hello = defineTask({ type: 'hello', run: (name) => `hello ${name}` })
    let url: string
    let databasePort: number
    {
      await using millrace = await startTesting({ tasks: { hello } })
      assert.equal(await millrace.run<typeof hello>('hello', 'you', { waitMs: 10_000 }), 'hello you')
      assert.equal((await millrace.stats()).counts.completed, 1)
      url = millrace.url
      databasePort = Number(new URL(millrace.databaseUrl).port || 5432)
      await millrace.stop()
    }
    assert.equal(await listens(Number(new URL(url).port)), false)
    assert.equal(await listens(databasePort), false)
  })

  it('drains: what waits is run, with what that submits, and what is for later is not', async (t) => {
    const chain = defineTask({
      type: 'chain',
      run: async (left) => {
        if (Number(left) > 0) await millrace.submit('chain', Number(left) - 1)
      },
    })
    const { millrace } = await testing(t, { tasks: [chain] })
    await Promise.all([millrace.submit('chain', 4), millrace.submit('chain', 0, { delayMs: hourMs })])
    await millrace.drain()
    const { counts } = await millrace.stats()
    assert.deepEqual([counts.completed, counts.scheduled], [5, 1])
  })

  it('says what is left when it cannot drain', async (t) => {
    const { millrace } = await testing(t, {
      tasks: [defineTask({ type: 'stuck', run: () => new Promise(() => {}) })],
    })
    await millrace.submit('stuck', 1)
    await assert.rejects(
      millrace.drain({ timeoutMs: 300 }),
      /after 300 ms 0 tasks were pending and 1 running/,
    )
  })

  it('has a clock to move', async (t) => {
    const { millrace, calls } = await testing(t)
    const tomorrow = new Date(Date.now() + 24 * hourMs)
    await millrace.submit('note', 'later', { delayMs: 2 * hourMs })
    await millrace.submit('note', 'tomorrow', { runAt: tomorrow })
    await millrace.advance(hourMs)
    await millrace.drain()
    assert.deepEqual(calls, [])
    await millrace.advance(hourMs)
    await millrace.drain()
    assert.deepEqual(calls, ['later'])
    await millrace.advance(22 * hourMs)
    await millrace.drain()
    assert.deepEqual(calls, ['later', 'tomorrow'])
    await assert.rejects(millrace.advance(-1), RangeError)
  })

  it('lets handlers fail, who are tried again when their time has come', async (t) => {
    const { millrace, calls } = await testing(t)
    millrace.failNext('note', new Error('smtp is away'), { times: 2 })
    const task = await millrace.submit('note', 'hi')
    await millrace.drain()
    assert.equal((await task.get()).status, 'scheduled')
    await millrace.advance(2_000)
    await millrace.drain()
    assert.deepEqual(calls, [])
    await millrace.advance(4_000)
    assert.deepEqual(await task.result({ timeoutMs: 10_000 }), { input: 'hi', attempt: 3 })
    const { attempts } = await task.get()
    assert.deepEqual(
      attempts?.map(({ error }) => error.message),
      ['smtp is away', 'smtp is away'],
    )
  })

  it('lets them fail for good, and some of a batch', async (t) => {
    const { millrace } = await testing(t)
    millrace.failNext('note', new NonRetryableError('no such user'))
    await assert.rejects(millrace.run('note', 1, { waitMs: 10_000 }), TaskFailedError)
    millrace.failNext('double', new NonRetryableError('no'))
    const tasks = await Promise.all([1, 2, 3].map((n) => millrace.submit('double', n)))
    const outcomes = await Promise.allSettled(tasks.map((task) => task.result({ timeoutMs: 10_000 })))
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed')).sort(),
      outcomes.map((outcome, at) => (outcome.status === 'fulfilled' ? (at + 1) * 2 : 'failed')).sort(),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 1)
    assert.throws(() => millrace.failNext('nobody'), /no task of this test has the type nobody/)
  })

  it('waits for a task, or until something is so', async (t) => {
    const { millrace, calls } = await testing(t)
    const task = await millrace.submit('note', 7)
    assert.equal(await millrace.waitFor(() => calls.length), 1)
    assert.equal((await millrace.waitFor(task)).status, 'completed')
    const later = await millrace.submit('note', 8, { delayMs: hourMs })
    await assert.rejects(millrace.waitFor(later.id, { timeoutMs: 20 }), TaskTimeoutError)
    const never = millrace.waitFor(() => assert.equal(calls.length, 9), { timeoutMs: 20 })
    const error = await never.catch((error) => error)
    assert.match(error.message, /not met within 20 ms/)
    assert.match(String(error.cause), /9/)
  })

  it('takes the handlers of a module, by its path', async (t) => {
    const { millrace } = await testing(t, { tasks: join(import.meta.dirname, '../fixtures/tasks.ts') })
    assert.equal(await millrace.run('double', 21, { waitMs: 10_000 }), 42)
  })

  it('refuses what is no task, and starts nothing then', async () => {
    await assert.rejects(startTesting({ tasks: [] }), /has no definition/)
    const twice = [1, 2].map(() => defineTask({ type: 'same', run: () => 1 }))
    await assert.rejects(startTesting({ tasks: twice }), /two of the tasks have the type same/)
  })

  it('stops at once, whatever runs', async (t) => {
    let aborted: unknown
    const endless = defineTask({
      type: 'endless',
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason
            reject(signal.reason)
          })
        }),
    })
    const { millrace } = await testing(t, { tasks: [endless] })
    await millrace.submit('endless', 1)
    await millrace.waitFor(async () => (await millrace.stats()).counts.processing === 1)
    await millrace.stop()
    assert.match(String(aborted), /the worker is stopping/)
  })
})
