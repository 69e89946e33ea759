import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { type RabbitPublisher, rabbitPublisher } from '../../src/broker/rabbitmq-publisher.ts'
import { type RabbitSource, rabbitSource } from '../../src/broker/rabbitmq-source.ts'
import { queueName } from '../../src/broker/rabbitmq-topology.ts'
import { BrokerUnavailableError } from '../../src/domain/errors.ts'
import { exists } from '../faults/system/broker-operator.ts'
import { startBrokerNode } from '../support/broker-node.ts'
import { makeFolder, removeFolder } from '../support/folder.ts'
import { noOwnBroker } from '../support/rabbitmq.ts'
import { until } from '../support/until.ts'
import { claim, namedIn, never, newQueue, numbers, operator, packets, quietLog, sendAll } from './operator.ts'

/** From the moment the port is open. */
const backWithinMs = 3_000
const skip = noOwnBroker
const node = skip ? undefined : await startNode()
const urls = node ? [node.url()] : []

test('consumes in a memory alarm, and publishes again when it is over', { skip }, async (t) => {
  const queue = newQueue()
  const { publisher, source } = await connected(t, queue)
  const left = new Set(numbers(100))
  await sendAll(publisher, packets(queue, [...left]))

  t.after(() => setWatermark('0.4'))
  await setWatermark('0.000001')
  await consume(source, left, { downTo: 50 })
  await source.stop()
  const newcomer = await connected(t, queue)
  await consumeAll(newcomer.source, left)
  const askedAt = performance.now()
  await until(() => publisher.publish(packets(queue, [101])).then(() => false, isOutage), {
    what: 'it is told that nothing is taken',
  })
  assert.ok(performance.now() - askedAt < 5_000, 'it waits for confirms in the alarm')
  await setWatermark('0.4')

  await sendAll(publisher, packets(queue, [102]))
  await consumeAll(newcomer.source, new Set([102]))
})

test('loses nothing confirmed when its broker is killed, and goes on when it is back', {
  skip,
}, async (t) => {
  const queue = newQueue()
  const before = await connected(t, queue)
  await sendAll(before.publisher, packets(queue, [1]))
  const inHand = await before.source.next(10, never)
  assert.deepEqual(namedIn(inHand), [1])

  const sent: number[] = []
  const more = packets(queue, numbers(20_000, 100))
  const sending = publishUntilItFails(before.publisher, more, sent)
  await until(() => sent.length >= 500, { what: 'it sends' })
  await untilKept(queue)
  await node!.kill()
  await sending
  assert.ok(sent.length < more.length)
  await until(() => !before.areConnected(), { what: 'they notice' })
  const during = started(t, queue)
  await assert.rejects(before.publisher.publish(packets(queue, [1])), BrokerUnavailableError)
  await assert.rejects(during.publisher.publish(packets(queue, [1])), BrokerUnavailableError)

  await node!.start()
  const everyone = () => before.areConnected() && during.areConnected()
  await until(everyone, {
    deadlineMs: backWithinMs,
    what: 'those from before and those from during are here',
  })
  before.source.claimed(inHand!, claim()) // the channel of its delivery is long gone

  const lost = new Set(sent)
  await Promise.all([before.source, during.source].map((source) => consumeAll(source, lost)))
})

test('sends to other queues while one has lost its leader, and to that one when it was deleted', {
  skip,
}, async (t) => {
  const live = newQueue()
  const { publisher, log } = await connected(t, live)
  await sendAll(publisher, packets(live, [1]))
  await untilKept(live)
  const dead = await queueWithoutLeader(publisher)
  const consumer = started(t, dead)
  const mixed = () => publisher.publish([...packets(dead, [1]), ...packets(live, [2])]).catch(() => [])
  await until(async () => (await mixed()).length > 0 && publisher.unserved().length > 0, {
    deadlineMs: 60_000,
    what: 'it goes without the queue',
  })

  const sentAt = performance.now()
  for (let i = 0; i < 20; i++) assert.deepEqual(await mixed(), [2])
  assert.ok(performance.now() - sentAt < 5_000, 'the others wait for it')
  const isTold = () =>
    log.lines.includes('RabbitMQ confirms nothing for a queue') &&
    consumer.log.lines.includes('RabbitMQ lets nobody consume a queue, trying on')
  await until(isTold, { deadlineMs: 60_000, what: 'an operator is told' })

  const { remove } = await operator(t, urls[0]!)
  await remove({ queue: dead, priority: 'normal' })

  await until(async () => (await publisher.publish(packets(dead, [3]))).length === 1, {
    deadlineMs: 30_000,
    what: 'the queue is used again',
  })
  await consumeAll(consumer.source, new Set([3]))
})

async function startNode() {
  const folder = makeFolder('rabbitmq')
  const started = await startBrokerNode(folder, ['/'])
  after(() => started.stop().then(() => removeFolder(folder)))
  return started
}

function started(t: TestContext, queue: string) {
  const log = quietLog()
  const publisher = rabbitPublisher({ urls, log })
  const source = rabbitSource({ urls, log, queues: [queue], prefetch: 4, onMarker: async () => {} })
  t.after(() => Promise.all([publisher.stop(), source.stop()]))
  return { publisher, source, log, areConnected: () => publisher.connected() && source.connected() }
}

async function connected(t: TestContext, queue: string) {
  const both = started(t, queue)
  await until(both.areConnected, { what: 'both connect' })
  return both
}

const isOutage = (error: unknown) => error instanceof BrokerUnavailableError

const setWatermark = (share: string) => node!.control(['set_vm_memory_high_watermark', share])

async function untilKept(queue: string) {
  await until(() => node!.keeps([queueName({ queue, priority: 'normal' })]), { what: 'the queue is on disk' })
}

/**
 * Kills the node when the broker has written down that there is a queue, and not yet the queue's own name, which
 * takes it a moment longer; if that moment is missed, with another queue.
 */
async function queueWithoutLeader(publisher: RabbitPublisher): Promise<string> {
  for (;;) {
    const place = { queue: newQueue(), priority: 'normal' } as const
    await publisher.publish(packets(place.queue, [1]))
    await node!.kill()
    const isKept = node!.keeps([queueName(place)])
    await node!.start()
    await until(publisher.connected, { deadlineMs: backWithinMs, what: 'it is connected again' })
    if (!isKept && (await exists({ url: urls[0]! }, queueName(place)))) return place.queue
  }
}

const allComeWithinMs = 60_000

/** Until nothing of it is missing. */
const consumeAll = (source: RabbitSource, missing: Set<number>) => consume(source, missing, { downTo: 0 })

/** Until so few of them are missing, in whatever order they come. */
async function consume(source: RabbitSource, missing: Set<number>, { downTo }: { downTo: number }) {
  for (const untilMs = performance.now() + allComeWithinMs; missing.size > downTo; ) {
    assert.ok(performance.now() < untilMs, `${missing.size} packets did not come`)
    const want = await source.next(1000, AbortSignal.timeout(1000))
    for (const id of namedIn(want)) missing.delete(id)
    if (want) source.claimed(want, claim())
  }
}

async function publishUntilItFails(
  { publish }: RabbitPublisher,
  all: ReturnType<typeof packets>,
  sent: number[],
) {
  for (let at = 0; at < all.length; at += 50) {
    const round = await publish(all.slice(at, at + 50)).catch(() => [])
    sent.push(...round)
    if (round.length === 0) return
  }
}
