import { test } from 'node:test'
import assert from 'node:assert/strict'
import { testDatabase, query, emptyDatabase } from '../support/postgres.ts'
import { testBroker } from '../support/rabbitmq.ts'
import amqp from 'amqplib'
test('db', async (t) => {
  const t0=performance.now()
  const url = await testDatabase(t)
  console.log(url, performance.now()-t0)
  console.log(await query(url, "select count(*) from pg_tables where schemaname='millrace'"))
  await emptyDatabase(t)
  const t1=performance.now()
  await testDatabase(t)
  console.log('second', performance.now()-t1)
})
test('broker', async () => {
  const { url } = await testBroker()
  const b = await testBroker()
  console.log(url, b.url)
  const c = await amqp.connect(url); const ch = await c.createChannel(); await ch.assertQueue('x',{arguments:{'x-queue-type':'quorum'}}); await c.close()
})
