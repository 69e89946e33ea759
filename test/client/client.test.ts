import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import {
  ConnectionError,
  createClient,
  type Millrace,
  MillraceError,
  TaskCanceledError,
  TaskFailedError,
  TaskTimeoutError,
} from '../../src/client/index.ts'
import { type FakeMillrace, fakeMillrace } from './fake-millrace.ts'

let fake: FakeMillrace
let millrace: Millrace

before(async () => {
  fake = await fakeMillrace()
  millrace = createClient({ url: `${fake.url}/`, apiKey: 'secret' })
})
after(() => fake.close())
afterEach(() => {
  fake.tasks.clear()
  fake.seen.length = 0
  fake.faults.length = 0
})

const unavailable = { status: 503, headers: { 'retry-after': '0' } }
const completed = { status: '"completed"', result: '{"bytes":12345678901234567890}' }

describe('submitting', () => {
  it('sends type, payload and options with the key of the API, and answers a handle', async () => {
    const task = await millrace.submit(
      'email',
      { to: 'a@b.c' },
      { queue: 'mail', delayMs: 5, runAt: new Date(0) },
    )
    const [request] = fake.requestsTo('/tasks')
    assert.equal(request!.headers.authorization, 'Bearer secret')
    const { idempotencyKey, ...body } = JSON.parse(request!.body)
    assert.deepEqual(body, {
      type: 'email',
      payload: { to: 'a@b.c' },
      queue: 'mail',
      delayMs: 5,
      runAt: '1970-01-01T00:00:00.000Z',
    })
    assert.ok(idempotencyKey.length > 20)
    assert.equal((await task.get()).id, task.id)
  })

  it('makes one task when the answer is lost and the call repeated', async () => {
    fake.faults.push('lose')
    await millrace.submit('email', 1)
    assert.equal(fake.requestsTo('/tasks').length, 2)
    assert.equal(fake.tasks.size, 1)
  })

  it('uses the idempotency key it is given', async () => {
    const tasks = [
      await millrace.submit('email', 1, { idempotencyKey: 'k' }),
      await millrace.submit('email', 1, { idempotencyKey: 'k' }),
    ]
    assert.equal(tasks[0]!.id, tasks[1]!.id)
  })

  it('stores many at once', async () => {
    const { count, ids } = await millrace.submitBatch([{ payload: 1 }, { payload: 2, type: 'b' }])
    assert.equal(count, 2)
    assert.deepEqual([...fake.tasks.keys()], ids)
  })

  it('does not repeat a batch without keys when nobody knows whether it was stored', async () => {
    fake.faults.push('lose')
    await assert.rejects(millrace.submitBatch([{ payload: 1 }]), ConnectionError)
    assert.equal(fake.tasks.size, 1)
  })

  it('repeats a batch in which each task has a key', async () => {
    fake.faults.push(unavailable)
    await millrace.submitBatch([{ payload: 1, idempotencyKey: 'a' }])
    assert.equal(fake.requestsTo('/tasks/batch').length, 2)
  })
})

describe('a failed call', () => {
  it('is repeated while the server is unavailable, and when the connection breaks', async () => {
    const id = fake.add({})
    fake.faults.push(
      unavailable,
      { status: 503, headers: { 'retry-after': new Date(0).toUTCString() } },
      'drop',
    )
    assert.equal((await millrace.get(id)).id, id)
    assert.equal(fake.seen.length, 4)
  })

  // By its own measure it would pause for more than half a minute.
  it('is repeated as soon as Retry-After allows', { timeout: 15_000 }, async () => {
    fake.faults.push(...Array(12).fill(unavailable))
    await createClient({ url: fake.url, retries: 12 }).stats()
    assert.equal(fake.seen.length, 13)
  })

  it('is given up after the retries', async () => {
    fake.faults.push(...Array(9).fill(unavailable))
    await assert.rejects(createClient({ url: fake.url, retries: 2 }).stats(), {
      name: 'UnavailableError',
      status: 503,
    })
    assert.equal(fake.seen.length, 3)
  })

  it('is not repeated when the server refuses', async () => {
    await assert.rejects(millrace.get('0199f000-0000-7000-8000-ffffffffffff'), {
      status: 404,
      code: 'task-not-found',
    })
    assert.equal(fake.seen.length, 1)
  })

  it('tells what is wrong with a body, and where', async () => {
    const refused = await millrace.submit('email', undefined).catch((error) => error)
    assert.ok(refused instanceof MillraceError)
    assert.deepEqual(refused.errors, [{ pointer: '#/payload', detail: 'payload is missing' }])
  })

  it('carries the task that explains a conflict', async () => {
    const id = fake.add(completed)
    const refused = await millrace.cancel(id).catch((error) => error)
    assert.equal(refused.status, 409)
    assert.equal(refused.task.status, 'completed')
  })

  it('has a status and a code also when a proxy answers in HTML', async () => {
    fake.faults.push({ status: 413, body: '<html>' })
    await assert.rejects(millrace.stats(), { status: 413, code: 'http-413' })
  })

  it('says so when something else than a Millrace answers', async () => {
    fake.faults.push({ status: 200, body: '<html>' })
    await assert.rejects(millrace.stats(), { status: 200, code: 'no-millrace' })
  })

  it('is a ConnectionError that names address and reason where nothing listens', async () => {
    const gone = await fakeMillrace()
    await gone.close()
    const error = await createClient({ url: gone.url, retries: 1 })
      .stats()
      .catch((error) => error)
    assert.ok(error instanceof ConnectionError)
    assert.match(error.message, new RegExp(`no answer from ${gone.url}: .*ECONNREFUSED`))
  })

  it('cannot come from an address that is none', () => {
    for (const url of ['localhost:8000', 'nonsense', ''])
      assert.throws(() => createClient({ url }), TypeError)
  })
})

describe('waiting', () => {
  it('resolves with the result as soon as there is one', async () => {
    const task = await millrace.submit('resize', 1)
    const result = task.result({ timeoutMs: 20_000 })
    fake.finish(task.id, { status: '"completed"', result: '{"bytes":3}' })
    assert.deepEqual(await result, { bytes: 3 })
  })

  it('can give the text of a result, number for number', async () => {
    const id = fake.add(completed)
    assert.equal(await millrace.task(id).resultText(), '{"bytes":12345678901234567890}')
  })

  it('fails with what the task failed with', async () => {
    const id = fake.add({ status: '"failed"', error: '{"name":"TypeError","message":"no url","attempt":3}' })
    const error = await millrace
      .task(id)
      .result()
      .catch((error) => error)
    assert.ok(error instanceof TaskFailedError)
    assert.match(error.message, /TypeError: no url/)
    assert.equal(error.task?.id, id)
  })

  it('fails with TaskCanceledError when somebody cancels', async () => {
    const task = await millrace.submit('resize', 1)
    const refused = assert.rejects(task.result({ timeoutMs: 20_000 }), TaskCanceledError)
    await millrace.cancel(task.id)
    await refused
  })

  it('ends with TaskTimeoutError in time, and the task goes on', async () => {
    const id = fake.add({})
    const error = await millrace
      .task(id)
      .result({ timeoutMs: 20 })
      .catch((error) => error)
    assert.ok(error instanceof TaskTimeoutError)
    assert.match(error.message, /was still pending after 20 ms/)
    assert.equal(fake.tasks.get(id)!.status, '"pending"')
  })

  it('looks once when there is no time at all', async () => {
    assert.deepEqual(await millrace.task(fake.add(completed)).result({ timeoutMs: 0 }), {
      bytes: 12345678901234567000,
    })
    const error = await millrace.wait(fake.add({}), { timeoutMs: 0 }).catch((error) => error)
    assert.ok(error instanceof TaskTimeoutError)
    assert.equal(error.task?.status, 'pending')
  })

  it('ends with the reason of its signal', async () => {
    const stop = new AbortController()
    const waiting = millrace.wait(fake.add({}), { signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(waiting, { message: 'enough' })
  })

  it('outlives a server that goes away for a moment', async () => {
    const id = fake.add({})
    const stop = new AbortController()
    const waiting = createClient({ url: fake.url, retries: 0 }).wait(id, { signal: stop.signal })
    fake.faults.push({ status: 200, body: `{"id":"${id}","status":"pending"}` }, 'drop', unavailable)
    fake.finish(id, completed)
    assert.equal((await waiting).status, 'completed')
    stop.abort()
  })
})

describe('looking', () => {
  it('walks the pages of a list to the end', async () => {
    const ids = Array.from({ length: 5 }, () => fake.add({ status: '"failed"' }))
    fake.add({})
    const seen: string[] = []
    for await (const { data } of millrace.pages({ status: ['failed'], limit: 2 }))
      seen.push(...data.map(({ id }) => id))
    assert.deepEqual(seen, ids.reverse())
    assert.equal(fake.seen.length, 3)
  })

  it('lists task after task, and asks for a page when it is needed', async () => {
    const ids = Array.from({ length: 5 }, () => fake.add({}))
    const seen: string[] = []
    for await (const { id } of millrace.list({ limit: 2 })) {
      seen.push(id)
      assert.equal(fake.seen.length, Math.ceil(seen.length / 2))
    }
    assert.deepEqual(seen, ids.reverse())
  })

  it('reads one page with all filters', async () => {
    await millrace.page({
      status: ['failed', 'canceled'],
      type: 't',
      createdAfter: new Date(0),
      include: ['payload'],
    })
    assert.deepEqual(Object.fromEntries(fake.seen[0]!.query), {
      type: 't',
      status: 'failed,canceled',
      createdAfter: '1970-01-01T00:00:00.000Z',
      include: 'payload',
    })
  })

  it('reads queues, pauses and resumes them and changes their limits', async () => {
    assert.equal((await millrace.queues())[0]!.name, 'default')
    await millrace.pauseQueue('a/b')
    await millrace.resumeQueue('mail')
    await millrace.limitQueue('mail', { concurrency: 5, keyRatePerSecond: null })
    assert.deepEqual(
      fake.seen.slice(1).map(({ method, path, body }) => [method, path, body]),
      [
        ['POST', '/queues/a%2Fb/pause', ''],
        ['POST', '/queues/mail/resume', ''],
        ['PATCH', '/queues/mail', '{"concurrency":5,"keyRatePerSecond":null}'],
      ],
    )
  })

  it('reads statistics and workers', async () => {
    fake.add({})
    assert.equal((await millrace.stats()).counts.pending, 1)
    assert.equal((await millrace.workers())[0]!.pid, 7)
  })
})
