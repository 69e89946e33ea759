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

for (const transport of transports) {
  describe(`submitting in SQL, with ${transport.name}`, { skip: transport.skip, concurrency: 2 }, () => {
    it('runs what was submitted in a transaction, once it commits', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const { databaseUrl } = system
      const ids = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const call = `select millrace.submit('{"i":${i}}', type := 'echo') as id`
          return (await query<{ id: string }>(databaseUrl, call))[0]!.id
        }),
      )

      const tasks = await Promise.all(ids.map((id) => system.finished(id)))

      assert.deepEqual(
        tasks.map((task) => task.result),
        tasks.map((_, i) => `{"i":${i}}`),
      )
      await system.untilIdle()
      await assertCountsExact(databaseUrl)
    })

    it('runs a large batch, one delayed among them', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker()
      const { databaseUrl } = system
      await query(
        databaseUrl,
        `select millrace.submit_batch(json_agg(json_build_object(
           'type', 'noop', 'payload', n, 'delay_ms', case n when 7 then 300 end))) from generate_series(1, 5000) as n`,
      )

      await until(async () => (await system.get('/stats')).body.counts.completed === 5_000, {
        what: 'the whole batch',
      })
      await system.untilIdle()
      await assertCountsExact(databaseUrl)
    })

    it('ends a running task that is canceled', async (t) => {
      const system = await startSystem(t, transport)
      await system.startWorker({ CONCURRENCY: '1' })
      const { databaseUrl } = system
      const id = await system.submit({ type: 'sleep', payload: { ms: 60_000 } })
      await until(async () => (await system.get(`/tasks/${id}`)).body.status === 'processing', {
        what: 'a running task',
      })

      await query(databaseUrl, 'select millrace.cancel($1)', [id])
      const next = await system.finished(await system.submit({ type: 'noop' }))

      assert.equal(next.status, 'completed')
      assert.equal((await system.get(`/tasks/${id}`)).body.status, 'canceled')
      await system.untilIdle()
      await assertCountsExact(databaseUrl)
    })
  })
}
