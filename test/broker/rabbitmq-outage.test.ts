import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RabbitPublisher, rabbitPublisher } from '../../src/broker/rabbitmq-publisher.ts'
import { type RabbitSource, rabbitSource } from '../../src/broker/rabbitmq-source.ts'
import { queueName } from '../../src/broker/rabbitmq-topology.ts'
import { BrokerUnavailableError } from '../../src/domain/errors.ts'
import { startBrokerNode } from '../support/broker-node.ts'
import { makeFolder, removeFolder } from '../support/folder.ts'
import { noOwnBroker } from '../support/rabbitmq.ts'
import { until } from '../support/until.ts'
import { claim, namedIn, never, newQueue, numbers, packets, quietLog, sendAll } from './operator.ts'

/** From the moment the port is open. */
const backWithinMs = 3_000

test('loses nothing confirmed when its broker is killed, and goes on when it is back', {
  skip: noOwnBroker,
}, async (t) => {
  const folder = makeFolder('rabbitmq')
  const node = await startBrokerNode(folder, ['/'])
  t.after(() => node.stop().then(() => removeFolder(folder)))
  const queue = newQueue()
  const [log, urls] = [quietLog(), [node.url()]]
  const started = () => {
    const publisher = rabbitPublisher({ urls, log })
    const source = rabbitSource({ urls, log, queues: [queue], prefetch: 4, onMarker: async () => {} })
    t.after(() => Promise.all([publisher.stop(), source.stop()]))
    return { publisher, source, areConnected: () => publisher.connected() && source.connected() }
  }
  const before = started()
  await until(before.areConnected, { what: 'both connect' })
  await sendAll(before.publisher, packets(queue, [1]))
  const inHand = await before.source.next(10, never)
  assert.deepEqual(namedIn(inHand), [1])

  const sent: number[] = []
  const more = packets(queue, numbers(20_000, 100))
  const sending = publishUntilItFails(before.publisher, more, sent)
  await until(() => sent.length >= 500, { what: 'it sends' })
  await until(() => node.keeps([queueName({ queue, priority: 'normal' })]), { what: 'the queue is on disk' })
  await node.kill()
  await sending
  assert.ok(sent.length < more.length)
  await until(() => !before.areConnected(), { what: 'they notice' })
  const during = started()
  await assert.rejects(before.publisher.publish(packets(queue, [1])), BrokerUnavailableError)
  await assert.rejects(during.publisher.publish(packets(queue, [1])), BrokerUnavailableError)

  await node.start()
  const everyone = () => before.areConnected() && during.areConnected()
  await until(everyone, {
    deadlineMs: backWithinMs,
    what: 'those from before and those from during are here',
  })
  before.source.claimed(inHand!, claim()) // the channel of its delivery is long gone

  const lost = new Set(sent)
  await Promise.all([before.source, during.source].map((source) => consumeAll(source, lost)))
})

const allComeWithinMs = 60_000

/** Until nothing of it is missing. */
async function consumeAll(source: RabbitSource, lost: Set<number>) {
  for (const untilMs = performance.now() + allComeWithinMs; lost.size > 0; ) {
    assert.ok(performance.now() < untilMs, `${lost.size} packets did not come`)
    const want = await source.next(1000, AbortSignal.timeout(1000))
    for (const id of namedIn(want)) lost.delete(id)
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
