import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../support/until.ts'
import { startReceiver } from './receiver.ts'
import { assertCountsExact, eventsIn, startSystem, type Transport } from './system.ts'

const noTasks = { scheduled: 0, pending: 0, processing: 0, completed: 0, failed: 0, canceled: 0 }

/** What the system does for its users, whichever way packets travel. */
export function conformance(transport: Transport): void {
  describe(`with ${transport.name}`, { skip: transport.skip, concurrency: 2 }, () => {
    it('runs a task and keeps its result', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const id = await system.submit({ type: 'whoami' })

      const task = await system.finished(id)

      assert.equal(task.status, 'completed')
      assert.deepEqual(task.result, { id, attempt: 1, pid: process.pid })
      assert.equal(task.error, null)
      assert.ok(task.createdAt <= task.startedAt && task.startedAt <= task.finishedAt)
      await system.untilIdle()
    })

    it('gives the handler and the reader the payload text as it was sent', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const payload = '{"b":1.0, "a":12345678901234567890,"e":1e400,"u":"\\u0000\\ud800"}'
      const { body } = await system.post('/tasks', `{"type":"echo","payload":${payload}}`)

      const task = await system.finished(body.id)
      const { text } = await system.get(`/tasks/${body.id}`)

      assert.equal(task.result, payload)
      assert.ok(text.includes(`"payload":${payload}`), text)
    })

    it('runs thousands in bulk, and the counts are exact', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const tasks = Array.from({ length: 3_000 }, (_, i) => ({ type: i % 2 ? 'noop' : 'whoami', payload: i }))
      const { status, body } = await system.post('/tasks/batch', { tasks })
      assert.equal(status, 201)
      assert.equal(body.ids.length, 3_000)

      await system.untilIdle()

      const { counts } = (await system.get('/stats')).body
      assert.equal(counts.completed, 3_000)
      await assertCountsExact(system.databaseUrl)
    })

    it('runs as many at once as there are slots', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker({ CONCURRENCY: '400' })
      const tasks = Array.from({ length: 400 }, () => ({ type: 'sleep', payload: { ms: 60_000 } }))
      await system.post('/tasks/batch', { tasks })

      await until(async () => (await system.get('/stats')).body.counts.processing === 400, {
        what: '400 at once',
      })
      for (const { id } of (await system.get('/tasks?limit=200')).body.data)
        await system.post(`/tasks/${id}/cancel`)
      for (const { id } of (await system.get('/tasks?limit=200&status=processing')).body.data)
        await system.post(`/tasks/${id}/cancel`)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('tries a failing task again until it completes, and keeps the history', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const id = await system.submit({ type: 'fail-then-complete' })

      const task = await system.finished(id)

      assert.deepEqual(task.result, { attempt: 3 })
      assert.equal(task.error, null)
      assert.deepEqual(
        task.attempts.map((past: { attempt: number }) => past.attempt),
        [1, 2],
      )
      assert.equal(task.attempts[0].error.message, 'attempt 1 fails')
    })

    it('fails a task when its attempts are used up, with the last error', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const id = await system.submit({ type: 'fail', maxAttempts: 2 })

      const task = await system.finished(id)

      assert.equal(task.status, 'failed')
      const { stack, ...error } = task.error
      assert.deepEqual(error, { name: 'Error', message: 'it went wrong', code: 'E_WRONG', attempt: 2 })
      assert.match(stack, /it went wrong/)
      assert.equal(task.attempts.length, 2)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('does not try again what cannot succeed', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const ids = await Promise.all([
        system.submit({ type: 'fail-for-good' }),
        system.submit({ type: 'bigint' }),
        system.submit({ type: 'odd-text' }),
      ])

      const [thrown, unstorable, odd] = await Promise.all(ids.map((id) => system.finished(id)))

      assert.equal(thrown.error.message, 'never again')
      assert.equal(thrown.attempt, 1)
      assert.equal(unstorable.status, 'failed')
      assert.match(unstorable.error.message, /BigInt/i)
      assert.deepEqual(odd.result, { nul: '\u0000', lone: '\ud800', text: '"\\' })
    })

    it('ends an attempt at its time limit', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const id = await system.submit({
        type: 'sleep',
        payload: { ms: 60_000, ignoreSignal: true },
        timeoutMs: 100,
        maxAttempts: 1,
      })

      const task = await system.finished(id)

      assert.equal(task.status, 'failed')
      assert.equal(task.error.name, 'TimeoutError')
    })

    it('answers a submission that prefers to wait with the result', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()

      const reply = await system.post('/tasks', { type: 'whoami', payload: 1 }, { prefer: 'wait=20' })

      assert.equal(reply.status, 201)
      assert.equal(reply.headers['preference-applied'], 'wait=20')
      assert.equal(reply.body.status, 'completed')
      assert.equal(reply.body.result.id, reply.body.id)
    })

    it('tells every change of a task, with its progress, until it is final', async (t) => {
      const system = await startSystem(t, transport)
      const id = await system.submit({ type: 'steps', payload: { steps: 3, ms: 400 } })
      const stream = system.get(`/tasks/${id}/events`)
      await system.startWorker()

      const events = eventsIn((await stream).text)

      const names = events.map(({ name }) => name)
      assert.equal(names[0], 'pending')
      assert.equal(names.at(-1), 'completed')
      assert.ok(names.includes('processing') && names.includes('progress'), names.join())
      assert.equal(events.at(-1)?.data.result, 3)
      const { progress } = (await system.get(`/tasks/${id}`)).body
      assert.deepEqual({ ...progress, at: '' }, { done: 3, total: 3, message: 'step 3', at: '' })
    })

    it('goes on telling after the event that was seen last, and has nothing to add to the final one', async (t) => {
      const system = await startSystem(t, transport)
      const id = await system.submit({ type: 'noop', delayMs: 60_000 })
      await system.post(`/tasks/${id}/cancel`)
      const [event, ...more] = eventsIn((await system.get(`/tasks/${id}/events`)).text)
      assert.equal(event?.name, 'canceled')
      assert.deepEqual(more, [])

      const missed = await system.get(`/tasks/${id}/events`, { 'last-event-id': '0.scheduled.0' })
      const over = await system.get(`/tasks/${id}/events`, { 'last-event-id': event.id })

      assert.equal(eventsIn(missed.text)[0]?.name, 'canceled')
      assert.equal(over.status, 204)
    })

    it('submits what a schedule names, once each time, until it is paused', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const cron = '* * * * * *'
      const put = await system.send('PUT', '/schedules/second', {
        body: { cron, task: { type: 'whoami', payload: 1, key: 'a' } },
      })
      assert.equal(put.status, 201, put.text)
      assert.equal(put.body.nextRuns.length, 5)

      const tasks = await until(
        async () => {
          const { data } = (await system.get('/tasks?status=completed')).body
          return data.length >= 2 && data
        },
        { what: 'two times of the schedule' },
      )
      const paused = await system.post('/schedules/second/pause')
      await system.untilIdle()

      assert.deepEqual([paused.body.paused, paused.body.nextRuns], [true, []])
      const keys = tasks.map((task: { idempotencyKey: string }) => task.idempotencyKey)
      assert.equal(new Set(keys).size, keys.length)
      for (const key of keys) assert.match(key, /^schedule:second:/)
      assert.equal(tasks[0].key, 'a')
      const run = await system.post('/schedules/second/run')
      assert.equal((await system.finished(run.body.id)).status, 'completed')
      assert.equal((await system.get('/schedules/second')).body.lastTaskId, run.body.id)
      assert.equal((await system.send('DELETE', '/schedules/second')).status, 200)
      assert.equal((await system.get('/schedules/second')).status, 404)
      await assertCountsExact(system.databaseUrl)
    })

    it('tells of the end of a task, at least once, where it was asked to', async (t) => {
      const hook = await startReceiver(t, [500])
      const system = await startSystem(t, transport)
      await system.startWorker({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_SECRET: 'secret' })
      const { body } = await system.post('/tasks', { type: 'whoami', payload: 1, callbackUrl: hook.url })
      const batch = await system.post('/tasks/batch', {
        tasks: [
          { type: 'fail', payload: 1, maxAttempts: 1, callbackUrl: hook.url, delayMs: 50 },
          { type: 'noop', payload: 1 },
        ],
      })
      const canceled = await system.submit({ type: 'noop', delayMs: 60_000, callbackUrl: hook.url })
      await system.post(`/tasks/${canceled}/cancel`)

      const ends = await until(
        () => {
          const told = hook.seen.map(({ body }) => `${body.id} ${body.status}`)
          return new Set(told).size === 3 && hook.seen.length === 4 && told.sort()
        },
        { what: 'three ends, one of them told again', deadlineMs: 20_000 },
      )

      assert.deepEqual(
        [...new Set(ends)],
        [`${body.id} completed`, `${batch.body.ids[0]} failed`, `${canceled} canceled`].sort(),
      )
      for (const { headers } of hook.seen) assert.match(String(headers['webhook-signature']), /^v1,/)
      assert.equal(new Set(hook.seen.map(({ headers }) => headers['webhook-id'])).size, 3)
      await assertCountsExact(system.databaseUrl)
    })

    it('tells of the end of a batch once, with its counts, where it was asked to', async (t) => {
      const hook = await startReceiver(t, [503])
      const system = await startSystem(t, transport)
      await system.startWorker({
        WEBHOOK_ALLOW_PRIVATE: 'true',
        WEBHOOK_SECRET: 'secret',
        QUEUES: 'far,default',
      })
      const { body } = await system.post('/tasks/batch', {
        callbackUrl: hook.url,
        tasks: [
          { type: 'noop', queue: 'far', payload: 1 },
          { type: 'fail', queue: 'far', payload: 1, maxAttempts: 1 },
        ],
        // biome-ignore lint/suspicious/noThenProperty: the name of a member of the body
        then: { type: 'noop', queue: 'far' },
      })
      const imported = await system.post(
        `/tasks/import?callbackUrl=${encodeURIComponent(hook.url)}`,
        '{"payload":1,"type":"noop","queue":"far"}\n{"payload":2,"type":"noop"}',
        { 'content-type': 'application/x-ndjson' },
      )
      const importId = imported.headers['millrace-batch-id']
      const ids = [body.batchId, importId]
      const told = () => ids.map((id) => hook.seen.findLast(({ body }) => body.id === id)?.body)
      await until(() => hook.seen.length === 3 && told().every(Boolean), {
        what: 'two ends, one of them told again',
        deadlineMs: 20_000,
      })
      await system.post(`/batches/${body.batchId}/retry`)
      await system.untilIdle()

      const batches = await Promise.all(ids.map(async (id) => (await system.get(`/batches/${id}`)).body))

      const { finishedAt: _again, ...first } = batches[0]
      assert.deepEqual({ ...told()[0], finishedAt: undefined }, { ...first, finishedAt: undefined })
      assert.deepEqual([first.counts.completed, first.counts.failed], [1, 1])
      assert.deepEqual(told()[1], batches[1])
      const { data } = (await system.get('/tasks?type=millrace.webhook')).body
      assert.deepEqual(
        data.map(({ queue, status }: Record<string, string>) => `${queue} ${status}`),
        ['far completed', 'far completed'],
      )
      for (const { headers } of hook.seen) assert.match(String(headers['webhook-signature']), /^v1,/)
      await assertCountsExact(system.databaseUrl)
    })

    it('keeps webhooks away from this machine unless it is told otherwise', async (t) => {
      const hook = await startReceiver(t, [])
      const system = await startSystem(t, transport)
      await system.startWorker()
      await system.submit({ type: 'noop', callbackUrl: hook.url })

      const delivery = await until(
        async () => (await system.get('/tasks?type=millrace.webhook&status=failed')).body.data[0],
        { what: 'the end of the delivery' },
      )

      assert.equal(delivery.error.name, 'NonRetryableError')
      assert.match(delivery.error.message, /WEBHOOK_ALLOW_PRIVATE/)
      assert.deepEqual(hook.seen, [])
    })

    it('waits until a task is due', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const soon = await system.submit({ type: 'noop', delayMs: 300 })
      const later = await system.submit({
        type: 'noop',
        runAt: new Date(Date.now() + 86_400_000).toISOString(),
      })

      const task = await system.finished(soon)

      assert.ok(Date.parse(task.startedAt) - Date.parse(task.createdAt) >= 300)
      assert.equal((await system.get(`/tasks/${later}`)).body.status, 'scheduled')
    })

    it('runs high priority before normal before low', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker({ CONCURRENCY: '1' })
      const inTheWay = await system.submit({ type: 'sleep', payload: { ms: 60_000 } })
      await until(async () => (await system.get(`/tasks/${inTheWay}`)).body.status === 'processing', {
        what: 'the only slot is taken',
      })
      const submitted = []
      for (const priority of ['low', 'normal', 'high'])
        submitted.push(await system.submit({ type: 'sleep', payload: { ms: 20 }, priority }))
      // All three must be there to choose from before the slot is free.
      await until(async () => (await system.unsent()) === 0, { what: 'all three are sent' })
      await system.post(`/tasks/${inTheWay}/cancel`)

      const tasks = await Promise.all(submitted.map((id) => system.finished(id)))

      const order = tasks
        .toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
        .map((task) => task.priority)
      assert.deepEqual(order, ['high', 'normal', 'low'])
    })

    it('cancels a waiting task before it starts', async (t) => {
      const system = await startSystem(t, transport)
      const id = await system.submit({ type: 'whoami' })
      const canceled = await system.post(`/tasks/${id}/cancel`)
      assert.equal(canceled.body.status, 'canceled')
      await system.startWorker()
      await system.finished(await system.submit({ type: 'noop' }))

      const task = (await system.get(`/tasks/${id}`)).body

      assert.equal(task.status, 'canceled')
      assert.equal(task.attempt, 0)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('cancels a running task at once, frees its slot and stores no late result', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker({ CONCURRENCY: '1' })
      const id = await system.submit({ type: 'sleep', payload: { ms: 1_000, ignoreSignal: true } })
      await until(async () => (await system.get(`/tasks/${id}`)).body.status === 'processing', {
        what: 'a running task',
      })

      const reply = await system.post(`/tasks/${id}/cancel`)
      const next = await system.finished(await system.submit({ type: 'noop' }))
      const canceled = (await system.get(`/tasks/${id}`)).body

      assert.equal(reply.body.status, 'canceled')
      assert.equal(canceled.status, 'canceled')
      assert.equal(canceled.result, null)
      assert.ok(Date.parse(next.startedAt) - Date.parse(canceled.finishedAt) < 900, 'the slot was not free')
      assert.equal((await system.post(`/tasks/${id}/cancel`)).status, 200)
    })

    it('runs a canceled task again when it is retried, with fresh attempts', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const id = await system.submit({ type: 'fail', maxAttempts: 1 })
      assert.equal((await system.finished(id)).status, 'failed')

      const retried = await system.post(`/tasks/${id}/retry`)
      assert.equal(retried.body.status, 'pending')
      const task = await system.finished(id)

      assert.equal(task.status, 'failed')
      assert.equal(task.attempt, 2)
      assert.equal((await system.post(`/tasks/${await system.submit({ type: 'noop' })}/retry`)).status, 409)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('puts a type that nobody serves off, unspent, and says so', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const id = await system.submit({ type: 'nobody-knows' })

      await until(async () => (await system.get(`/tasks/${id}`)).body.status === 'scheduled', {
        what: 'a task put off',
      })
      const task = (await system.get(`/tasks/${id}`)).body
      const stats = (await system.get('/stats')).body

      assert.equal(task.attempt, 0)
      assert.deepEqual(task.attempts, [])
      assert.deepEqual(stats.unserved, ['nobody-knows'])
    })

    it('gathers tasks of a batch handler', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const { body } = await system.post('/tasks/batch', {
        tasks: [
          { type: 'double', payload: 21 },
          { type: 'double', payload: 'x', maxAttempts: 1 },
          { type: 'double', payload: 4 },
        ],
      })

      const tasks = await Promise.all(body.ids.map((id: string) => system.finished(id)))

      assert.deepEqual(
        tasks.map((task) => task.result),
        [42, null, 8],
      )
      assert.equal(tasks[1].error.message, 'no number')
    })

    it('counts a batch exactly, and submits what comes then once, when the last task is final', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const tasks = [
        ...Array.from({ length: 50 }, () => ({ type: 'noop', payload: null })),
        { type: 'fail-for-good', payload: null },
        { type: 'sleep', payload: { ms: 60_000 } },
      ]
      const sequel = { type: 'echo', payload: 'mine' }
      const { body } = await system.post(
        '/tasks/batch',
        `{"tasks":${JSON.stringify(tasks)},"then":${JSON.stringify(sequel)}}`,
      )
      const url = `/batches/${body.batchId}`
      await until(async () => (await system.get(url)).body.counts.completed === 50, { what: 'fifty results' })
      assert.equal((await system.get(`${url}?wait=0.1`)).body.finishedAt, null)

      const canceled = await system.post(`${url}/cancel`)
      const batch = (await system.get(`${url}?wait=20`)).body
      const task = await system.finished(batch.thenId)
      const retried = await system.post(`${url}/retry`)
      const again = (await system.get(`${url}?wait=20`)).body

      assert.deepEqual(canceled.body, { canceled: 1 })
      assert.equal(batch.total, 52)
      assert.deepEqual(batch.counts, { ...noTasks, completed: 50, failed: 1, canceled: 1 })
      const { total, counts } = batch
      assert.deepEqual(JSON.parse(task.result), { batchId: body.batchId, total, counts, payload: 'mine' })
      assert.deepEqual(retried.body, { retried: 1 })
      assert.deepEqual(again.counts, batch.counts)
      assert.ok(again.finishedAt > batch.finishedAt)
      assert.equal(again.thenId, batch.thenId)
      await system.untilIdle()
      assert.equal((await system.get('/stats')).body.total, 53)
      await assertCountsExact(system.databaseUrl)
    })

    it('imports lines, and what is sent again with keys is stored once', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const lines = Array.from(
        { length: 3_000 },
        (_, i) => `{"payload":${i},"type":"noop","idempotencyKey":"row ${i}","key":"a"}`,
      )
      const all = [...lines.slice(0, 10), 'nonsense', ...lines.slice(10)].join('\n')

      const first = await system.post('/tasks/import', all, { 'content-type': 'application/x-ndjson' })
      const url = `/batches/${first.headers['millrace-batch-id']}`
      const batch = (await system.get(`${url}?wait=20`)).body
      const again = await system.post('/tasks/import', all, { 'content-type': 'application/x-ndjson' })
      const nothing = (await system.get(`/batches/${again.headers['millrace-batch-id']}?wait=20`)).body

      const answers = first.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      assert.deepEqual(
        answers.map(({ line }) => line),
        Array.from({ length: 3_001 }, (_, i) => i + 1),
      )
      assert.equal(answers[10].error.code, 'malformed-json')
      assert.deepEqual([batch.total, batch.counts.completed, batch.importing], [3_000, 3_000, false])
      assert.equal(again.text, first.text)
      assert.equal(nothing.total, 0)
      assert.ok(nothing.finishedAt)
      const listed = (await system.get(`/tasks?limit=1&batchId=${batch.id}`)).body.data
      assert.deepEqual([listed[0].id, listed[0].key], [answers.at(-1).id, 'a'])
      await assertCountsExact(system.databaseUrl)
    })

    it('answers the same task for the same idempotency key', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const key = { 'idempotency-key': 'order-17' }
      const first = await system.post('/tasks', { type: 'noop', payload: 1 }, key)
      await system.finished(first.body.id)

      const again = await system.post('/tasks', { type: 'noop', payload: 1 }, key)
      const other = await system.post('/tasks', { type: 'noop', payload: 2 }, key)

      assert.deepEqual([first.status, again.status, other.status], [201, 200, 422])
      assert.equal(again.headers['idempotent-replayed'], 'true')
      assert.equal(again.body.id, first.body.id)
      assert.equal(again.body.status, 'completed')
      assert.equal(other.body.code, 'idempotency-key-reused')
    })

    it('hands back at shutdown what cannot finish in time, unspent, and another worker runs it', async (t) => {
      const system = await startSystem(t, transport)
      const first = await system.startWorker({ SHUTDOWN_GRACE_MS: '100' })
      const id = await system.submit({
        type: 'sleep',
        payload: { ms: 1_500, ignoreSignal: true },
        maxAttempts: 1,
      })
      await until(async () => (await system.get(`/tasks/${id}`)).body.status === 'processing', {
        what: 'a running task',
      })

      await first.stop()
      const handedBack = (await system.get(`/tasks/${id}`)).body
      await system.startWorker()
      const task = await system.finished(id)

      assert.equal(handedBack.status, 'pending')
      assert.equal(handedBack.workerId, null)
      assert.equal(task.status, 'completed')
      assert.deepEqual(task.attempts, [])
      assert.equal(
        (await system.get('/workers')).body.data?.length ?? (await system.get('/workers')).body.length,
        1,
      )
    })

    it('starts nothing of a paused queue, and goes on at once when it is resumed', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker({ QUEUES: 'default,other' })
      assert.equal((await system.post('/queues/other/pause')).body.paused, true)
      await system.finished(await system.submit({ type: 'noop' }))
      const tasks = Array.from({ length: 300 }, () => ({ type: 'noop', payload: null, queue: 'other' }))
      await system.post('/tasks/batch', { tasks })
      const last = await system.submit({ type: 'noop', queue: 'other' })
      await system.finished(await system.submit({ type: 'noop' }))
      assert.equal((await system.get('/stats')).body.counts.pending, 301)

      await system.post('/queues/other/resume')

      assert.equal((await system.finished(last)).status, 'completed')
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('keeps the limits of a queue and of its keys over all workers', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      await system.startWorker()
      const { status } = await system.patch('/queues/default', { concurrency: 12, keyConcurrency: 5 })
      assert.equal(status, 200)
      const keys = ['a', 'b', 'c', undefined]
      const tasks = Array.from({ length: 400 }, (_, i) => ({
        type: 'sleep',
        payload: { ms: 5 },
        key: keys[i % 4],
      }))
      await system.post('/tasks/batch', { tasks })
      let most = 0
      await until(
        async () => {
          const running = await system.running()
          most = Math.max(most, running.length)
          for (const key of ['a', 'b', 'c']) assert.ok(running.filter((one) => one === key).length <= 5, key)
          return (await system.get('/stats')).body.counts.completed === 400
        },
        { deadlineMs: 30_000, what: 'all of them' },
      )

      assert.ok(most <= 12, `${most} at once`)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('runs ten of one key while thousands of another wait', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      await system.patch('/queues/default', { concurrency: 20 })
      const task = { type: 'sleep', payload: { ms: 20 } }
      await system.post('/tasks/batch', {
        tasks: Array.from({ length: 4_000 }, () => ({ ...task, key: 'many' })),
      })
      const few = await system.post('/tasks/batch', {
        tasks: Array.from({ length: 10 }, () => ({ ...task, key: 'few' })),
      })

      for (const id of few.body.ids) await system.finished(id)

      const { counts } = (await system.get('/stats')).body
      assert.ok(counts.pending > 2_000, `${counts.pending} still wait`)
      await system.patch('/queues/default', { concurrency: null })
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('starts no more in a second than the rate', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      await system.patch('/queues/default', { ratePerSecond: 20 })
      await system.post('/tasks/batch', {
        tasks: Array.from({ length: 30 }, () => ({ type: 'noop', payload: 1 })),
      })
      await system.untilIdle()

      const starts = (await system.get('/tasks?limit=30')).body.data.map((task: { startedAt: string }) =>
        Date.parse(task.startedAt),
      )
      assert.ok(Math.max(...starts) - Math.min(...starts) >= 1_300, 'the last one came no sooner')
    })

    it('shares the work among workers that come and go', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker({ CONCURRENCY: '20' })
      const second = await system.startWorker({ CONCURRENCY: '20' })
      const tasks = Array.from({ length: 400 }, () => ({ type: 'sleep', payload: { ms: 20 } }))
      const { body } = await system.post('/tasks/batch', { tasks })
      await until(async () => (await system.get('/stats')).body.counts.completed > 50, {
        what: 'some results',
      })
      await second.stop()

      await system.untilIdle()

      const workers = new Set<string>()
      for (const id of body.ids) workers.add((await system.get(`/tasks/${id}`)).body.workerId)
      assert.equal(workers.size, 2)
      assert.equal((await system.get('/stats')).body.counts.completed, 400)
      await assertCountsExact(system.databaseUrl)
    })
  })
}
