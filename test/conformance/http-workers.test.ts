import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { query } from '../support/postgres.ts'
import { noBroker, testBroker } from '../support/rabbitmq.ts'
import { until } from '../support/until.ts'
import { assertCountsExact, startSystem, type Transport } from './system.ts'

const transports: Transport[] = [
  { name: 'PostgreSQL alone', skip: false, amqpUrl: async () => undefined },
  { name: 'RabbitMQ', skip: noBroker, amqpUrl: async () => (await testBroker()).url },
]

type Claimed = { id: string; attempt: number; payload: unknown; type: string }
type System = Awaited<ReturnType<typeof startSystem>>

/** A worker as a program in another language has it. */
async function httpWorker(system: System, wish: object = {}) {
  const { body, status } = await system.post('/workers', { types: ['remote'], ...wish })
  assert.equal(status, 201)
  const workerId: string = body.id
  const claim = async (more: object = {}): Promise<Claimed[]> => {
    const reply = await system.post('/workers/claim', { workerId, ...more })
    assert.equal(reply.status, 200, reply.text)
    return reply.body.tasks
  }
  return {
    id: workerId,
    claim,
    finish: (...tasks: object[]) => system.post('/workers/finish', { workerId, tasks }),
    beat: (...tasks: Claimed[]) =>
      system.post('/workers/heartbeat', {
        workerId,
        tasks: tasks.map(({ id, attempt }) => ({ id, attempt })),
      }),
    leave: () => system.app.inject({ method: 'DELETE', url: `/workers/${workerId}` }),
  }
}

const ref = ({ id, attempt }: Claimed) => ({ id, attempt })

/** Makes the worker as silent as if its lease had passed. */
const silence = (system: System, id: string) =>
  query(
    system.databaseUrl,
    `update millrace.workers set last_seen_at = now() - interval '1 day' where id = $1`,
    [id],
  )

const statusOf = async (system: System, id: string) => (await system.get(`/tasks/${id}`)).body.status
const untilStatus = (system: System, id: string, status: string) =>
  until(async () => (await statusOf(system, id)) === status, { what: `a task that is ${status}` })

for (const transport of transports) {
  describe(`workers that speak HTTP, with ${transport.name}`, {
    skip: transport.skip,
    concurrency: 2,
  }, () => {
    it('run tasks, and results and payloads are the texts that were sent', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system)
      const sent = '{"type":"remote","payload":{"b":1.0, "a":12345678901234567890}}'
      const { body } = await system.post('/tasks', sent)

      const reply = await system.post('/workers/claim', { workerId: worker.id, wait: 20 })
      const [task] = reply.body.tasks
      const done = await system.post(
        '/workers/finish',
        `{"workerId":"${worker.id}","tasks":[{"id":"${task.id}","attempt":1,"result":{"z":1e400, "y":2.0}}]}`,
      )

      assert.ok(reply.text.includes('"payload":{"b":1.0, "a":12345678901234567890}'), reply.text)
      assert.deepEqual(done.body.tasks, [{ id: body.id, attempt: 1, accepted: true, status: 'completed' }])
      assert.ok((await system.get(`/tasks/${body.id}`)).text.includes('"result":{"z":1e400, "y":2.0}'))
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('share a batch among them and with others, each task once, and a stale message does no harm', async (t) => {
      const system = await startSystem(t, transport)
      const workers = await Promise.all(
        [1, 20, 200].map((concurrency) => httpWorker(system, { concurrency, types: ['noop'] })),
      )
      const tasks = Array.from({ length: 600 }, (_, payload) => ({ type: 'noop', payload }))
      await system.post('/tasks/batch', { tasks })
      await until(async () => (await system.unsent()) === 0, { what: 'messages for all of them' })
      const seen: unknown[] = []

      await Promise.all([
        ...workers.map(async (worker) => {
          while (seen.length <= 300) {
            const claimed = await worker.claim({ limit: 100, wait: 0.5 })
            if (claimed.length === 0) return
            seen.push(...claimed.map(({ payload }) => payload))
            const { body } = await worker.finish(...claimed.map((task) => ({ ...ref(task), result: 1 })))
            assert.ok(body.tasks.every(({ accepted }: { accepted: boolean }) => accepted))
          }
        }),
        until(async () => seen.length > 100, { what: 'some that the messages still name' }).then(() =>
          system.startWorker(),
        ),
      ])

      await system.untilIdle()
      assert.equal(new Set(seen).size, seen.length)
      assert.ok(seen.length > 300)
      assert.equal((await system.get('/stats')).body.counts.completed, 600)
      await assertCountsExact(system.databaseUrl)
    })

    it('wait for a task that comes later, and for nothing when there is none', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system)
      const claiming = worker.claim({ wait: 20 })
      const id = await system.submit({ type: 'remote' })

      assert.deepEqual((await claiming).map(ref), [{ id, attempt: 1 }])
      assert.deepEqual(await worker.claim(), [])
    })

    it('fail attempts, which are tried again until they are used up', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system)
      const id = await system.submit({ type: 'remote', maxAttempts: 2 })
      for (const attempt of [1, 2]) {
        const [task] = await worker.claim({ wait: 20 })
        assert.deepEqual(ref(task!), { id, attempt })
        const { body } = await worker.finish({ ...ref(task!), error: { message: 'no luck' }, delayMs: 10 })
        assert.equal(body.tasks[0].accepted, true)
      }

      const task = await system.finished(id)
      assert.equal(task.status, 'failed')
      assert.deepEqual(task.error, { name: 'Error', message: 'no luck', attempt: 2 })
      const final = await system.submit({ type: 'remote' })
      const [claimed] = await worker.claim({ wait: 20 })
      await worker.finish({ ...ref(claimed!), error: { name: 'Bad', message: 'never' }, retryable: false })
      assert.equal((await system.finished(final)).attempt, 1)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('are told of cancellations, and what they finish then is refused', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system)
      await system.submit({ type: 'remote' })
      const [task] = await worker.claim({ wait: 20 })
      assert.deepEqual((await worker.beat(task!)).body.canceled, [])
      await system.post(`/tasks/${task!.id}/cancel`)

      const beat = await worker.beat(task!)
      const late = await worker.finish({ ...ref(task!), result: 1 })

      assert.deepEqual([beat.body.canceled, beat.body.lost], [[ref(task!)], []])
      assert.deepEqual(late.body.tasks, [{ ...ref(task!), accepted: false, status: 'canceled' }])
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('are answered the same when they repeat what was not answered', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system, { concurrency: 2 })
      await Promise.all([system.submit({ type: 'remote' }), system.submit({ type: 'remote' })])
      const tasks: Claimed[] = []
      while (tasks.length < 2) tasks.push(...(await worker.claim({ limit: 2, wait: 20 })))
      const endings = [
        { ...ref(tasks[0]!), result: 'x' },
        { ...ref(tasks[1]!), error: { message: 'no' } },
      ]

      const answers = [await worker.finish(...endings), await worker.finish(...endings)]

      for (const { body } of answers)
        assert.deepEqual(
          body.tasks.map(({ accepted, status }: Record<string, unknown>) => [accepted, status]),
          [
            [true, 'completed'],
            [true, 'scheduled'],
          ],
        )
      assert.equal((await system.get(`/tasks/${tasks[1]!.id}`)).body.attempts.length, 1)
      await assertCountsExact(system.databaseUrl)
    })

    it('that fall silent lose their tasks, which others run, and what they say later changes nothing', async (t) => {
      const system = await startSystem(t, transport)
      const dead = await httpWorker(system, { leaseMs: 3_000 })
      const id = await system.submit({ type: 'remote', maxAttempts: 1 })
      const [task] = await dead.claim({ wait: 20 })
      await silence(system, dead.id)
      await untilStatus(system, id, 'pending')
      await until(async () => (await system.get('/workers')).body.length === 0, { what: 'a worker given up' })

      const late = await dead.finish({ ...ref(task!), result: 'late' })
      const worker = await httpWorker(system)
      const [again] = await worker.claim({ wait: 20 })
      const other = await worker.finish(
        { id, attempt: 1, result: 'late' },
        { ...ref(again!), result: 'right' },
      )

      assert.deepEqual([late.status, late.body.code], [404, 'worker-not-found'])
      assert.deepEqual(ref(again!), { id, attempt: 2 })
      assert.equal(other.body.tasks[1].accepted, true)
      assert.equal((await system.get(`/tasks/${id}`)).body.result, 'right')
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('that die of one task again and again end it, and no other', async (t) => {
      const system = await startSystem(t, transport)
      const killer = await system.submit({ type: 'remote', payload: 'kill', maxAttempts: 1 })
      const others = await Promise.all(
        [1, 2, 3].map((payload) => system.submit({ type: 'remote', payload, maxAttempts: 1 })),
      )
      const dead = new Set<string>()
      let worker = await httpWorker(system, { concurrency: 8, leaseMs: 3_000 })
      await until(
        async () => {
          const tasks = await worker.claim({ limit: 8, wait: 0.5 })
          if (tasks.some(({ payload }) => payload === 'kill')) {
            dead.add(worker.id)
            await silence(system, worker.id)
            worker = await httpWorker(system, { concurrency: 8, leaseMs: 3_000 })
          } else if (tasks.length > 0)
            await worker.finish(...tasks.map((task) => ({ ...ref(task), result: 1 })))
          return (await system.get('/stats')).body.counts.completed === 3 && dead.size >= 2
        },
        { deadlineMs: 30_000, what: 'the innocent to complete' },
      )

      const task = await system.finished(killer)
      assert.equal(task.status, 'failed')
      assert.equal(task.error.name, 'WorkerLostError')
      for (const id of others) assert.equal((await system.get(`/tasks/${id}`)).body.attempts.length, 0)
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('get back what a lost answer told of, once it is older than their lease', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system, { concurrency: 2 })
      const id = await system.submit({ type: 'remote', maxAttempts: 1 })
      await worker.claim({ wait: 20 }) // the answer never arrives
      await worker.beat()
      assert.equal(await statusOf(system, id), 'processing')
      await query(system.databaseUrl, `update millrace.packets set claimed_at = now() - interval '1 minute'`)

      await worker.beat()
      const [again] = await worker.claim({ wait: 20 })

      assert.deepEqual(ref(again!), { id, attempt: 2 })
      await worker.finish({ ...ref(again!), result: null })
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('hand back what they release, and all of it when they leave', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system, { concurrency: 2 })
      const ids = [await system.submit({ type: 'remote' }), await system.submit({ type: 'remote' })]
      const tasks: Claimed[] = []
      while (tasks.length < 2) tasks.push(...(await worker.claim({ limit: 2, wait: 20 })))

      const released = await worker.finish({ ...ref(tasks[0]!), release: true })
      const left = await worker.leave()

      assert.equal(released.body.tasks[0].accepted, true)
      assert.equal(left.statusCode, 204)
      for (const id of ids) {
        const task = (await system.get(`/tasks/${id}`)).body
        assert.deepEqual([task.status, task.attempts], ['pending', []])
      }
      assert.equal((await worker.leave()).statusCode, 404)
      const heir = await httpWorker(system, { concurrency: 2 })
      const again: Claimed[] = []
      while (again.length < 2) again.push(...(await heir.claim({ limit: 2, wait: 20 })))
      await heir.finish(...again.map((task) => ({ ...ref(task), result: 1 })))
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })

    it('get nothing of a paused queue, and go on when it is resumed', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system, { queues: ['default', 'other'], concurrency: 10 })
      await system.post('/queues/other/pause')
      const held = await system.submit({ type: 'remote', queue: 'other' })
      const free = await system.submit({ type: 'remote' })

      assert.deepEqual((await worker.claim({ wait: 5 })).map(ref), [{ id: free, attempt: 1 }])
      assert.deepEqual(await worker.claim(), [])
      const claiming = worker.claim({ wait: 20 })
      await system.post('/queues/other/resume')

      assert.deepEqual((await claiming).map(ref), [{ id: held, attempt: 1 }])
    })

    it('keep the limits of a queue and of its keys, with others, and each end makes room', async (t) => {
      const system = await startSystem(t, transport)
      const many = { concurrency: 100 }
      const [one, other] = await Promise.all([httpWorker(system, many), httpWorker(system, many)])
      await system.patch('/queues/default', { concurrency: 5, keyConcurrency: 2 })
      const keys = ['a', 'b', 'c', 'd']
      const tasks = Array.from({ length: 40 }, (_, i) => ({ type: 'remote', payload: i, key: keys[i % 4] }))
      await system.post('/tasks/batch', { tasks })

      const first = await one.claim({ limit: 3, wait: 5 })
      const second = await other.claim({ limit: 100, wait: 5 })
      assert.deepEqual([first.length, second.length], [3, 2])
      assert.deepEqual(await one.claim({ limit: 100 }), [])
      const waiting = one.claim({ limit: 100, wait: 20 })
      await other.finish({ ...ref(second[0]!), result: 1 })
      const next = await waiting
      assert.equal(next.length, 1)

      const done = async (worker: typeof one, claimed: Claimed[]) => {
        for (let mine = claimed; mine.length > 0; mine = await worker.claim({ limit: 3, wait: 5 })) {
          const running = await system.running()
          assert.ok(running.length <= 5, `${running.length} at once`)
          for (const key of keys) assert.ok(running.filter((running) => running === key).length <= 2, key)
          await worker.finish(...mine.map((task) => ({ ...ref(task), result: 1 })))
        }
      }
      await Promise.all([done(one, [...first, ...next]), done(other, second.slice(1)), system.untilIdle()])
      assert.equal((await system.get('/stats')).body.counts.completed, 40)
      await assertCountsExact(system.databaseUrl)
      const left = await query(system.databaseUrl, 'select from millrace.admitted')
      assert.equal(left.length, 0)
    })

    it('free within limits what was canceled, when they hear of it', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system, { concurrency: 10 })
      await system.patch('/queues/default', { keyConcurrency: 2 })
      const tasks = Array.from({ length: 3 }, () => ({ type: 'remote', payload: null, key: 'a' }))
      await system.post('/tasks/batch', { tasks })
      const [running, doomed] = await worker.claim({ limit: 10, wait: 5 })
      await system.post(`/tasks/${doomed!.id}/cancel`)
      assert.deepEqual(await worker.claim({ limit: 10 }), [])

      const { body } = await worker.beat(running!, doomed!)

      assert.deepEqual(body.canceled, [ref(doomed!)])
      assert.equal((await worker.claim({ wait: 5 })).length, 1)
    })

    it('leave types that they do not have to others', async (t) => {
      const system = await startSystem(t, transport)
      const worker = await httpWorker(system, { concurrency: 100 })
      const { body } = await system.post('/tasks/batch', {
        tasks: [
          { type: 'other', payload: 1 },
          { type: 'remote', payload: 2 },
        ],
      })

      const tasks: Claimed[] = []
      while (tasks.length < 1) tasks.push(...(await worker.claim({ limit: 100, wait: 20 })))
      await worker.finish(...tasks.map((task) => ({ ...ref(task), result: 1 })))

      assert.deepEqual(
        tasks.map(({ type }) => type),
        ['remote'],
      )
      await until(async () => ['scheduled', 'pending'].includes(await statusOf(system, body.ids[0])), {
        what: 'the other one to wait',
      })
      const heir = await httpWorker(system, { types: ['other'] })
      const [other] = await heir.claim({ wait: 20 })
      await heir.finish({ ...ref(other!), result: 1 })
      await system.untilIdle()
      await assertCountsExact(system.databaseUrl)
    })
  })
}
