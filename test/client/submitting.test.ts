import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import {
  createClient,
  InvalidRequestError,
  type Millrace,
  TaskFailedError,
  TaskTimeoutError,
} from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { type FakeMillrace, fakeMillrace } from './fake-millrace.ts'

let fake: FakeMillrace
let millrace: Millrace

before(async () => {
  fake = await fakeMillrace()
  millrace = createClient({ url: fake.url })
})
after(() => fake.close())
afterEach(() => {
  fake.tasks.clear()
  fake.seen.length = 0
  fake.faults.length = 0
})

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ type: 'n', payload: n }))
const payloadOf = (id: string) => Number(fake.tasks.get(id)!.payload)
const sizes = () => fake.seen.map(({ path, body }) => (path === '/tasks' ? 1 : JSON.parse(body).tasks.length))
const unavailable = { status: 503, headers: { 'retry-after': '0' } }

describe('tasks that are submitted at the same time', () => {
  it('go in one request, each to its own caller', async () => {
    const tasks = await Promise.all(numbered(700).map(({ payload }) => millrace.submit('n', payload)))
    assert.deepEqual(sizes(), [700])
    assert.deepEqual(
      tasks.map(({ id }) => payloadOf(id)),
      numbered(700).map(({ payload }) => payload),
    )
  })

  it('go in requests of 1,000 at most', async () => {
    await Promise.all(numbered(2_500).map(({ payload }) => millrace.submit('n', payload)))
    assert.deepEqual(sizes(), [1_000, 1_000, 500])
  })

  it('go in smaller requests when they are large', async () => {
    const large = 'x'.repeat(900_000)
    await Promise.all(Array.from({ length: 10 }, () => millrace.submit('n', large)))
    assert.deepEqual(sizes(), [4, 4, 2])
  })

  it('gather while requests are under way', async () => {
    const submitted = [millrace.submit('n', 0)]
    await until(() => fake.seen.length === 1, { what: 'the first request' })
    for (let n = 1; n < 6; n++) {
      await Promise.resolve()
      submitted.push(millrace.submit('n', n))
    }
    const ids = (await Promise.all(submitted)).map(({ id }) => id)
    assert.deepEqual(ids.map(payloadOf), [0, 1, 2, 3, 4, 5])
    assert.ok(fake.seen.length < 6)
  })

  it('do not wait for anything when there is one, and that one is no batch', async () => {
    await millrace.submit('n', 1)
    await millrace.submit('n', 2)
    assert.deepEqual(
      fake.seen.map(({ path }) => path),
      ['/tasks', '/tasks'],
    )
  })

  it('do not fail with an invalid one among them', async () => {
    const outcomes = await Promise.allSettled(
      [0, undefined, 2, undefined, 4].map((n) => millrace.submit('n', n)),
    )
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? payloadOf(outcome.value.id) : 'refused')),
      [0, 'refused', 2, 'refused', 4],
    )
    const refused = outcomes[1]!.status === 'rejected' ? outcomes[1]!.reason : undefined
    assert.ok(refused instanceof InvalidRequestError)
    assert.deepEqual(refused.errors, [{ pointer: '#/payload', detail: 'payload is missing' }])
  })

  it('are each sent alone when the server does not say which one it refuses', async () => {
    fake.faults.push({ status: 413, body: '<html>' })
    const tasks = await Promise.all(numbered(3).map(({ payload }) => millrace.submit('n', payload)))
    assert.deepEqual(sizes(), [3, 1, 1, 1])
    assert.equal(fake.tasks.size, tasks.length)
  })

  it('fail together when the server is away, and one that cannot be JSON fails before', async () => {
    fake.faults.push(...Array(3).fill(unavailable))
    const impatient = createClient({ url: fake.url, retries: 2 })
    const outcomes = await Promise.allSettled([
      impatient.submit('n', 1),
      impatient.submit('n', 2n),
      impatient.submit('n', 3),
    ])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name),
      ['UnavailableError', 'TypeError', 'UnavailableError'],
    )
    assert.deepEqual(sizes(), [2, 2, 2])
  })

  it('have each a key of its own, which stays the same when the request is repeated', async () => {
    fake.faults.push('drop')
    await Promise.all(numbered(3).map(({ payload }) => millrace.submit('n', payload)))
    const [first, again] = fake.seen.map(({ body }) => body)
    assert.equal(first, again)
    const keys = JSON.parse(first!).tasks.map((task: { idempotencyKey: string }) => task.idempotencyKey)
    assert.equal(new Set(keys).size, 3)
  })
})

describe('run', () => {
  it('submits and answers the result, in one request', async () => {
    const own = await fakeMillrace({ finishes: true })
    assert.equal(await createClient({ url: own.url }).run('n', 'hello', { queue: 'q' }), 5)
    assert.deepEqual(
      own.seen.map(({ body }) => JSON.parse(body).queue),
      ['q'],
    )
    await own.close()
  })

  it('waits on for a task that takes longer, and fails as the task does', async () => {
    const ran = millrace.run('n', 1, { waitMs: 10_000 })
    await until(() => fake.seen.length === 1, { what: 'the submission' })
    const [id] = fake.tasks.keys()
    const failed = { name: 'Error', message: 'no luck', attempt: 1 }
    fake.finish(id!, { status: '"failed"', error: JSON.stringify(failed) })
    await assert.rejects(ran, TaskFailedError)

    const slow = millrace.run('n', 2, { waitMs: 1_500 })
    await assert.rejects(slow, (error) => error instanceof TaskTimeoutError && /1500 ms/.test(error.message))
    assert.equal(fake.requestsTo('/tasks').length, 2)
  })

  it('makes no second task when the answer is lost', async () => {
    const own = await fakeMillrace({ finishes: true })
    own.faults.push('lose', unavailable)
    assert.equal(await createClient({ url: own.url }).run('n', 1), 5)
    assert.deepEqual([own.seen.length, own.tasks.size], [3, 1])
    await own.close()
  })

  it('submits, and waits no more, when its signal aborts', async () => {
    await assert.rejects(millrace.run('n', 1, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
    assert.equal(fake.tasks.size, 1)
  })

  it('gives up waiting in time, and leaves the limit of an attempt to the task', async () => {
    await assert.rejects(millrace.run('n', 1, { waitMs: 30, timeoutMs: 5_000 }), TaskTimeoutError)
    const { timeoutMs, waitMs } = JSON.parse(fake.requestsTo('/tasks')[0]!.body)
    assert.deepEqual({ timeoutMs, waitMs }, { timeoutMs: 5_000, waitMs: undefined })
  })
})

describe('submitMany', () => {
  it('stores what an array holds in requests of 1,000, and yields handles in order', async () => {
    const seen: number[] = []
    for await (const { id } of millrace.submitMany(numbered(2_345))) seen.push(payloadOf(id))
    assert.deepEqual(
      seen,
      numbered(2_345).map(({ payload }) => payload),
    )
    assert.deepEqual(sizes(), [1_000, 1_000, 345])
  })

  it('reads a request ahead and no further, and nothing before somebody asks', async () => {
    let read = 0
    function* endless() {
      for (;;) yield { payload: read++ }
    }
    const stream = millrace.submitMany(endless())
    assert.equal(read, 0)
    await stream.next()
    assert.equal(read, 2_000)
    for (let n = 1; n < 1_000; n++) await stream.next()
    assert.equal(read, 2_000)
    await stream.next()
    assert.equal(read, 3_000)
    await stream.return()
    assert.equal(fake.tasks.size, 2_000)
  })

  it('sends what has come so far when a stream is slow', async () => {
    let more = () => {}
    async function* slow() {
      yield { payload: 1 }
      yield { payload: 2 }
      await new Promise<void>((resolve) => (more = resolve))
      yield { payload: 3 }
    }
    const stream = millrace.submitMany(slow())
    await stream.next()
    await stream.next()
    assert.equal(fake.tasks.size, 2)
    more()
    assert.equal(payloadOf((await stream.next()).value!.id), 3)
    assert.equal((await stream.next()).done, true)
  })

  it('says which task is refused, and stores nothing from that request on', async () => {
    const tasks = numbered(2_500).map((task, n) => (n === 1_017 ? { type: 'n', payload: undefined } : task))
    let stored = 0
    const submitting = (async () => {
      for await (const _ of millrace.submitMany(tasks)) stored++
    })()
    const error = await submitting.catch((error) => error)
    assert.ok(error instanceof InvalidRequestError)
    assert.equal(error.errors[0]?.pointer, '#/tasks/1017/payload')
    assert.deepEqual([stored, fake.tasks.size], [1_000, 1_000])
  })

  it('says so of a single one, too', async () => {
    const error = await millrace
      .submitMany([{ payload: undefined }])
      .next()
      .catch((error) => error)
    assert.equal(error.errors[0].pointer, '#/tasks/0/payload')
  })

  it('stores what was read before its source failed, and fails with it', async () => {
    function* failing() {
      yield { payload: 1 }
      throw new Error('the disk is gone')
    }
    const stream = millrace.submitMany(failing())
    assert.equal(payloadOf((await stream.next()).value!.id), 1)
    await assert.rejects(stream.next(), { message: 'the disk is gone' })
  })

  it('tells its source when nobody wants more', async () => {
    let isClosed = false
    function* source() {
      try {
        for (let n = 0; ; n++) yield { payload: n }
      } finally {
        isClosed = true
      }
    }
    for await (const _ of millrace.submitMany(source())) break
    assert.ok(isClosed)
  })

  it('repeats a request whose answer was lost', async () => {
    fake.faults.push('lose')
    for await (const _ of millrace.submitMany(numbered(5)));
    assert.deepEqual(sizes(), [5, 5])
  })
})
