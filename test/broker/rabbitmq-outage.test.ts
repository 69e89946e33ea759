import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { rabbitPublisher } from '../../src/broker/rabbitmq-publisher.ts'
import { rabbitSource } from '../../src/broker/rabbitmq-source.ts'
import { BrokerUnavailableError } from '../../src/domain/errors.ts'
import { startBrokerNode } from '../support/broker-node.ts'
import { makeFolder, removeFolder } from '../support/folder.ts'
import { noOwnBroker, ownBroker } from '../support/rabbitmq.ts'
import { until } from '../support/until.ts'
import { claim, namedIn, never, newQueue, numbers, operator, packets, quietLog, sendAll } from './operator.ts'

const skip = noOwnBroker
/** From the moment the port is open. */
const backWithinMs = 3_000

test('waits for a broker that is down, and survives its kill without losing what it confirmed', {
  skip,
}, async (t) => {
  const broker = await ownBroker(t)
  const queue = newQueue()
  const [log, urls] = [quietLog(), [broker.url]]
  await broker.kill()
  const publisher = rabbitPublisher({ urls, log })
  const source = rabbitSource({ urls, log, queues: [queue], prefetch: 4, onMarker: async () => {} })
  t.after(() => Promise.all([publisher.stop(), source.stop()]))
  const everyone = () => publisher.connected() && source.connected()
  await assert.rejects(publisher.publish(packets(queue, [1])), BrokerUnavailableError)

  await broker.start()
  await until(everyone, { deadlineMs: backWithinMs, what: 'both connect' })
  await sendAll(publisher, packets(queue, [1]))
  const inHand = await source.next(10, never)
  assert.deepEqual(namedIn(inHand), [1])

  const sent: number[] = []
  const more = packets(queue, numbers(5000, 100))
  const sending = publishUntilItFails(publisher, more, sent)
  await until(() => sent.length >= 500, { what: 'it sends' })
  await broker.kill()
  await sending
  assert.ok(sent.length < more.length)
  await until(() => !publisher.connected(), { what: 'it notices' })
  await assert.rejects(publisher.publish(packets(queue, [1])), BrokerUnavailableError)

  await broker.start()
  await until(everyone, { deadlineMs: backWithinMs, what: 'both are back' })
  source.claimed(inHand!, claim()) // the channel of its delivery is long gone
  const lost = new Set(sent)
  await until(
    async () => {
      const want = await source.next(1000, AbortSignal.timeout(1000))
      for (const id of namedIn(want)) lost.delete(id)
      if (want) source.claimed(want, claim())
      return lost.size === 0
    },
    { deadlineMs: 60_000, what: 'all that was confirmed is delivered' },
  )
})

test('stops sending in a memory alarm, while deliveries and acks go on', { skip }, async (t) => {
  const folder = makeFolder('rabbitmq')
  const node = await startBrokerNode(folder, ['/'])
  t.after(() => node.stop().then(() => removeFolder(folder)))
  const queue = newQueue()
  const place = { queue, priority: 'normal' } as const
  const [log, urls] = [quietLog(), [node.url()]]
  const publisher = rabbitPublisher({ urls, log })
  t.after(publisher.stop)
  await until(publisher.connected, { what: 'it connects' })
  await sendAll(publisher, packets(queue, numbers(20)))
  await node.kill()
  appendFileSync(join(folder, 'rabbitmq.conf'), 'vm_memory_high_watermark.absolute = 1MB\n')
  await node.start()
  await until(publisher.connected, { what: 'it connects again' })

  const first = publisher.publish(packets(queue, [21]))
  await until(() => !publisher.connected(), { what: 'it hears of the alarm' })
  await assert.rejects(publisher.publish(packets(queue, [22])), /refuses messages/)
  assert.deepEqual(await first, [])

  const source = rabbitSource({ urls, log, queues: [queue], prefetch: 4, onMarker: async () => {} })
  t.after(source.stop)
  for (let left = 20; left > 0; ) {
    const want = await source.next(10, never)
    left -= namedIn(want).length
    source.claimed(want!, claim())
  }
  await source.stop()
  const { ready } = await operator(t, urls[0]!)
  assert.equal(await ready(place), 0)
})

async function publishUntilItFails(
  { publish }: Pick<ReturnType<typeof rabbitPublisher>, 'publish'>,
  all: ReturnType<typeof packets>,
  sent: number[],
) {
  for (let at = 0; at < all.length; at += 50) {
    const round = await publish(all.slice(at, at + 50)).catch(() => [])
    sent.push(...round)
    if (round.length === 0) return
  }
}
