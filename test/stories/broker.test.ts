import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Channel, type ConsumeMessage, connect } from 'amqplib'
import { queueName } from '../../src/broker/rabbitmq-topology.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { query, testDatabase } from '../support/postgres.ts'
import { noBroker, noOwnBroker, ownBroker, testBroker } from '../support/rabbitmq.ts'
import { until } from '../support/until.ts'
import { deploy, submitMany } from './deployment.ts'

it('accepts tasks while the broker is down, and runs them when it is back', {
  skip: noOwnBroker,
}, async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const broker = await ownBroker(t)
  const { startApi, startWorker, untilCounts, counts } = await deploy(t, {
    DATABASE_URL,
    AMQP_URL: broker.url,
  })
  const api = await startApi()
  await startWorker()
  await submitMany(api.url, 1_000, { type: 'recorded', payload: 20 })
  await until(() => broker.keeps([queueName(place)]), { what: 'the queue is on disk' })

  await broker.kill()
  await submitMany(api.url, 1_000, { type: 'recorded', payload: 20 })
  assert.ok(((await counts()).pending ?? 0) > 0, 'nothing waits for the broker')
  await broker.start()

  await untilCounts({ completed: 2_000 })
  await assertCountsExact(DATABASE_URL)
})

it('completes a task once, however often its message is delivered', { skip: noBroker }, async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { url } = await testBroker()
  const { startApi, startWorker, record, untilCounts } = await deploy(t, { DATABASE_URL, AMQP_URL: url })
  const api = await startApi()
  await submitMany(api.url, 200, { type: 'recorded', payload: 10 })
  await untilSent(DATABASE_URL)
  await repeatMessages(url, 3)

  await startWorker()
  await untilCounts({ completed: 200 })

  assert.equal(record().filter((line) => line.what === 'start').length, 200)
  await assertCountsExact(DATABASE_URL)
})

it('sends again what the broker has lost', { skip: noBroker }, async (t) => {
  const DATABASE_URL = await testDatabase(t)
  const { url } = await testBroker()
  const { startApi, startWorker, untilCounts } = await deploy(t, { DATABASE_URL, AMQP_URL: url })
  const api = await startApi()
  await submitMany(api.url, 500, { type: 'recorded', payload: 10 })
  await untilSent(DATABASE_URL)
  await withQueue(url, (channel, queue) => channel.purgeQueue(queue))

  await startWorker()

  await untilCounts({ completed: 500 })
  await assertCountsExact(DATABASE_URL)
})

const place = { queue: 'default', priority: 'normal' } as const

async function withQueue(url: string, work: (channel: Channel, queue: string) => Promise<unknown>) {
  const connection = await connect(url)
  try {
    await work(await connection.createChannel(), queueName(place))
  } finally {
    await connection.close()
  }
}

/** As a broker does that was restored from an older state, or whose consumers' acks were lost. */
async function repeatMessages(url: string, times: number): Promise<void> {
  await withQueue(url, async (channel, queue) => {
    const first = await until(async () => (await channel.checkQueue(queue)).messageCount, {
      what: 'messages',
    })
    const messages: ConsumeMessage[] = []
    await channel.consume(queue, (message) => message && messages.push(message))
    await until(() => messages.length >= first, { what: 'all messages' })
    for (const { content, properties } of messages) {
      for (let i = 0; i < times; i++) channel.sendToQueue(queue, content, properties)
    }
    channel.nackAll(true)
  })
}

async function untilSent(databaseUrl: string): Promise<void> {
  const unsent = 'select count(*)::int as n from millrace.packets where sent_at is null'
  await until(async () => (await query<{ n: number }>(databaseUrl, unsent))[0]?.n === 0, {
    what: 'packets sent',
  })
}
