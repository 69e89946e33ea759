import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { mailOf, openConfirmingChannel } from '../../src/broker/rabbitmq-confirms.ts'
import { rabbitPublisher } from '../../src/broker/rabbitmq-publisher.ts'
import { rabbitSource } from '../../src/broker/rabbitmq-source.ts'
import { queueName } from '../../src/broker/rabbitmq-topology.ts'
import { BrokerUnavailableError, StoreUnavailableError } from '../../src/domain/errors.ts'
import { freePort } from '../support/ports.ts'
import { noBroker, testBroker } from '../support/rabbitmq.ts'
import { until } from '../support/until.ts'
import {
  claim,
  namedIn,
  never,
  newQueue,
  numbers,
  operator,
  packets,
  quietLog,
  sendAll,
  startPublisher,
  startSource,
} from './operator.ts'

const broker = noBroker ? undefined : await testBroker()
const urls = broker ? [broker.url] : []
const skip = noBroker
const at = '2026-01-02 03:04:05.678901+00'

test('answers the packets that are in a queue, and makes the queue first', { skip }, async (t) => {
  const queue = newQueue()
  const publisher = await startPublisher(t, urls)

  assert.deepEqual(await publisher.publish(packets(queue, [1, 2, 3])), [1, 2, 3])

  const { ready } = await operator(t, urls[0]!)
  await until(async () => (await ready({ queue, priority: 'normal' })) === 3, { what: 'three wait' })
})

test('carries more packets at once than may be unconfirmed, each once', { skip }, async (t) => {
  const queue = newQueue()
  const publisher = await startPublisher(t, urls)
  const calls = [packets(queue, numbers(2500)), packets(queue, numbers(10, 9001))]

  const sent = await Promise.all(calls.map(publisher.publish))

  assert.deepEqual(sent, [numbers(2500), numbers(10, 9001)])
  const { ready } = await operator(t, urls[0]!)
  await until(async () => (await ready({ queue, priority: 'normal' })) === 2510, { what: 'all wait' })
})

test('declares a deleted queue anew and sends again what came back', { skip }, async (t) => {
  const queue = newQueue()
  const publisher = await startPublisher(t, urls)
  const { remove, ready } = await operator(t, urls[0]!)
  await publisher.publish(packets(queue, [1]))
  await remove({ queue, priority: 'normal' })

  assert.deepEqual(await publisher.publish(packets(queue, [2, 3])), [2, 3])
  await until(async () => (await ready({ queue, priority: 'normal' })) === 2, { what: 'both wait' })
})

test('tells what is in a queue from what is only confirmed', { skip }, async (t) => {
  const [there, missing] = [newQueue(), newQueue()]
  const { channel, connection } = await operator(t, urls[0]!)
  await channel.assertQueue(queueName({ queue: there, priority: 'low' }))
  const confirming = await openConfirmingChannel(connection, () => {})
  const mail = [missing, there, missing].map((queue, id) => mailOf({ id, queue, priority: 'low' }))

  const { routed, unroutable } = await confirming.send(mail, AbortSignal.timeout(10_000))

  assert.deepEqual(routed, [mail[1]])
  assert.deepEqual(unroutable, [mail[0], mail[2]])
})

const refusesTheSecond = { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } }

test('does not take for sent what a queue refuses, and sends the rest', { skip }, async (t) => {
  const [good, full] = [newQueue(), newQueue()]
  const publisher = await startPublisher(t, urls)
  const { channel } = await operator(t, urls[0]!)
  await channel.assertQueue(queueName({ queue: full, priority: 'normal' }), refusesTheSecond)

  assert.deepEqual(await publisher.publish([...packets(full, [1, 2]), ...packets(good, [3])]), [1, 3])
})

test('after a refusal it goes on through another channel', { skip }, async (t) => {
  const [good, full] = [newQueue(), newQueue()]
  const { channel, connection } = await operator(t, urls[0]!)
  await channel.assertQueue(queueName({ queue: full, priority: 'normal' }), refusesTheSecond)
  const opened = t.mock.method(connection, 'createConfirmChannel').mock
  await channel.assertQueue(queueName({ queue: good, priority: 'normal' }))
  const confirming = await openConfirmingChannel(connection, () => {})
  const routed = async (...[queue, ids]: Parameters<typeof packets>) =>
    (await confirming.send(packets(queue, ids).map(mailOf), AbortSignal.timeout(10_000))).routed.length

  assert.equal(await routed(good, [1, 2]), 2)
  assert.equal(await routed(good, [3]), 1)
  assert.equal(opened.callCount(), 1)
  assert.equal(await routed(full, [4, 5]), 1)
  assert.equal(await routed(good, [6]), 1)
  assert.equal(opened.callCount(), 2)
})

test('goes on with the next node when one refuses', { skip }, async (t) => {
  const closed = `amqp://127.0.0.1:${await freePort()}`
  const queue = newQueue()
  for (const order of [
    [closed, urls[0]!],
    [urls[0]!, closed],
  ]) {
    const publisher = await startPublisher(t, order)
    assert.deepEqual(await publisher.publish(packets(queue, [1])), [1])
  }
})

test('refuses at once while the broker is away', async (t) => {
  const log = quietLog()
  const publisher = rabbitPublisher({ urls: [`amqp://127.0.0.1:${await freePort()}`], log })
  t.after(publisher.stop)

  await assert.rejects(publisher.publish(packets('q', [1])), BrokerUnavailableError)
  await assert.rejects(publisher.publish([]), BrokerUnavailableError)
  await assert.rejects(publisher.mark({ queue: 'q', priority: 'low' }, at), BrokerUnavailableError)
})

test('says once that the broker is away, without the password', async (t) => {
  const port = await freePort()
  const told: object[] = []
  const log = { ...quietLog(), warn: (fields: object) => void told.push(fields) }
  const publisher = rabbitPublisher({ urls: [`amqp://me:secret@127.0.0.1:${port}`], log })
  const attempts = await countConnections(t, port)
  await until(() => attempts() >= 3, { what: 'it tries again' })
  await publisher.stop()

  assert.ok(told.length <= 2, JSON.stringify(told)) // refused, then hung up on
  assert.doesNotMatch(JSON.stringify(told), /secret/)
  assert.match(JSON.stringify(told), new RegExp(`127.0.0.1:${port}`))
})

test('delivers what was sent, and acks it only after the claim', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'normal' } as const
  const publisher = await startPublisher(t, urls)
  await publisher.publish(packets(queue, [1, 2, 3]))
  const first = await startSource(t, { urls, queues: [queue] })
  const got = await all(first, 3)
  const { ready } = await operator(t, urls[0]!)
  assert.equal(await ready(place), 0)

  await first.stop()

  await until(async () => (await ready(place)) === 3, { what: 'all three are back' })
  const second = await startSource(t, { urls, queues: [queue] })
  for (const want of await all(second, 3)) second.claimed(want, claim())
  await second.stop()
  assert.equal(got.length > 0, true)
  assert.equal(await ready(place), 0)
})

test('offers a packet to one claim at a time', { skip }, async (t) => {
  const queue = newQueue()
  const publisher = await startPublisher(t, urls)
  const source = await startSource(t, { urls, queues: [queue] })
  await publisher.publish(packets(queue, [1]))
  assert.deepEqual(namedIn(await source.next(10, never)), [1])

  const more = source.next(10, never)
  await publisher.publish(packets(queue, [2]))

  assert.deepEqual(namedIn(await more), [2])
})

test('acks a copy of what it holds, and offers it once', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'normal' } as const
  const publisher = await startPublisher(t, urls)
  await publisher.publish([...packets(queue, [1, 1]), ...packets(queue, [1, 2])])
  const source = await startSource(t, { urls, queues: [queue] })

  const wants = await all(source, 2)
  assert.deepEqual(wants.flatMap(namedIn).sort(), [1, 2])

  await source.stop()
  const { ready } = await operator(t, urls[0]!)
  await until(async () => (await ready(place)) === 2, { what: 'the two that were held are back' })
})

test('offers what failed to be claimed again', { skip }, async (t) => {
  const queue = newQueue()
  const publisher = await startPublisher(t, urls)
  await publisher.publish(packets(queue, [7]))
  const source = await startSource(t, { urls, queues: [queue] })

  source.failed((await source.next(10, never))!)

  assert.deepEqual(namedIn(await source.next(10, never)), [7])
})

test('takes a higher priority first', { skip }, async (t) => {
  const queue = newQueue()
  const publisher = await startPublisher(t, urls)
  await publisher.publish([
    ...packets(queue, [1], 'low'),
    ...packets(queue, [2]),
    ...packets(queue, [3], 'high'),
  ])
  const source = await startSource(t, { urls, queues: [queue] })
  for (const want of await all(source, 3)) source.failed(want)

  assert.deepEqual(namedIn(await source.next(10, never)), [3, 2, 1])
})

test('waits in vain until the signal aborts', { skip }, async (t) => {
  const source = await startSource(t, { urls, queues: [newQueue()] })
  const leaving = new AbortController()
  const waiting = source.next(10, leaving.signal)
  leaving.abort()
  assert.equal(await waiting, undefined)
})

test('consumes again when the queue is deleted under it', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'high' } as const
  const publisher = await startPublisher(t, urls)
  const source = await startSource(t, { urls, queues: [queue] })
  const { remove, consumers } = await operator(t, urls[0]!)
  await publisher.publish(packets(queue, [1], 'high'))
  source.claimed((await source.next(10, never))!, claim())

  await remove(place)
  await sendAll(publisher, packets(queue, [2], 'high'))

  assert.deepEqual(namedIn(await source.next(10, never)), [2])
  assert.equal(await consumers(place), 1)
})

test('drops what is none of ours and goes on', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'normal' } as const
  const log = quietLog()
  const publisher = await startPublisher(t, urls)
  const source = await startSource(t, { urls, queues: [queue], log })
  const { channel, ready } = await operator(t, urls[0]!)
  const strange: [string, { type?: string }][] = [
    ['', {}],
    ['12', {}],
    ['-1', { type: 'packet' }],
    ['9'.repeat(16), { type: 'packet' }],
    ['yesterday', { type: 'marker' }],
    ['x'.repeat(100_000), { type: 'packet' }],
  ]
  for (const [text, options] of strange) channel.sendToQueue(queueName(place), Buffer.from(text), options)
  await publisher.publish(packets(queue, [5]))

  const want = await source.next(10, never)
  assert.deepEqual(namedIn(want), [5])
  source.claimed(want!, claim())
  await until(() => log.lines.filter((line) => line.includes('none of ours')).length === strange.length, {
    what: 'all are reported',
  })
  await source.stop()
  assert.equal(await ready(place), 0)
})

test('brings a marker to a consumer behind what was sent before, also after a purge', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'low' } as const
  const publisher = await startPublisher(t, urls)
  const { purge, ready } = await operator(t, urls[0]!)
  await publisher.publish(packets(queue, [1, 2], 'low'))
  await until(async () => (await ready(place)) === 2, { what: 'both wait' })
  await purge(place)
  const seen: unknown[] = []
  const onMarker = async (from: unknown, instant: string) => void seen.push([from, instant])
  const source = await startSource(t, { urls, queues: [queue], onMarker })

  await publisher.mark(place, at)

  await until(() => seen.length === 1, { what: 'the marker is back' })
  assert.deepEqual(seen, [[place, at]])
  await source.stop()
  assert.equal(await ready(place), 0)
})

test('keeps a marker until the database takes it', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'normal' } as const
  let tries = 0
  const onMarker = async () => {
    tries += 1
    if (tries < 3) throw new StoreUnavailableError('away')
  }
  const publisher = await startPublisher(t, urls)
  await startSource(t, { urls, queues: [queue], onMarker })

  await publisher.mark(place, at)

  await until(() => tries === 3, { what: 'the third try succeeds' })
})

test('does not send a marker that nobody would read', { skip }, async (t) => {
  const queue = newQueue()
  const place = { queue, priority: 'normal' } as const
  const publisher = await startPublisher(t, urls)
  await publisher.mark(place, at)

  const { ready } = await operator(t, urls[0]!)
  await publisher.publish(packets(queue, [1])) // behind it, if there were one
  await until(async () => (await ready(place)) > 0, { what: 'the packet waits' })
  assert.equal(await ready(place), 1)
})

test('works with the longest and the strangest queue name', { skip }, async (t) => {
  const publisher = await startPublisher(t, urls)
  const queue = `${newQueue()}/A_b.c:d-`.padEnd(128, '/.')
  assert.deepEqual(await publisher.publish(packets(queue, [1])), [1])
  const source = await startSource(t, { urls, queues: [queue] })
  assert.deepEqual(namedIn(await source.next(1, never)), [1])
})

test('stops while it connects, while it waits and a second time', { skip }, async () => {
  const log = quietLog()
  const publisher = rabbitPublisher({ urls, log })
  const source = rabbitSource({ urls, log, queues: [newQueue()], prefetch: 1, onMarker: async () => {} })
  const waiting = source.next(1, never)
  await Promise.all([publisher.stop(), source.stop()])
  await Promise.all([publisher.stop(), source.stop()])

  assert.equal(await waiting, undefined)
  assert.equal(await source.next(1, never), undefined)
  await assert.rejects(publisher.publish(packets('q', [1])), BrokerUnavailableError)
})

/** Wants until that many packets were named. */
async function all(source: Awaited<ReturnType<typeof startSource>>, count: number) {
  const wants = []
  for (let named = 0; named < count; ) {
    const want = await source.next(1000, never)
    assert.ok(want)
    wants.push(want)
    named += namedIn(want).length
  }
  return wants
}

/** Hangs up on everybody who connects, and counts them. */
async function countConnections(t: TestContext, port: number): Promise<() => number> {
  let count = 0
  const server = createServer((socket) => {
    count += 1
    socket.destroy()
  }).listen(port, '127.0.0.1')
  t.after(() => server.close())
  return () => count
}
