import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mail, Receipt } from '../../src/broker/rabbitmq-confirms.ts'
import { unservedBook } from '../../src/broker/rabbitmq-unserved.ts'
import { quietLog } from './operator.ts'

const mailFor = (queue: string, packet = 1): Mail => ({
  place: { queue, priority: 'normal' },
  letter: { packet },
})
const [dead, live] = [mailFor('dead'), mailFor('live')]
const silence: Receipt = { routed: [], unroutable: [], gaveUp: true }
const liveOnly: Receipt = { routed: [live], unroutable: [], gaveUp: true }

test('asks for another connection once for each address, and lets the silent queue be after that', () => {
  const log = quietLog()
  const book = unservedBook({ addresses: 2, log })

  const reasons = [1, 2, 3].map(() => book.learn([dead, live], liveOnly))

  assert.deepEqual(reasons, ['millrace.v1.dead.normal', 'millrace.v1.dead.normal', undefined])
  assert.deepEqual(book.places(), [dead.place])
  assert.deepEqual(log.lines, ['RabbitMQ confirms nothing for a queue'])
})

test('forgets who was only held up', () => {
  const book = unservedBook({ addresses: 1, log: quietLog() })
  book.learn([dead, live], silence)
  assert.deepEqual([book.has(dead.place), book.has(live.place)], [true, true])

  book.learn([live], { routed: [live], unroutable: [], gaveUp: false })

  assert.deepEqual(book.places(), [dead.place])
})

test('tries a silent queue again with a new connection, one try at a time, until it is served', () => {
  const log = quietLog()
  const book = unservedBook({ addresses: 1, log })
  book.learn([dead], silence)
  book.learn([dead], silence)
  assert.deepEqual(book.due(), [])

  book.reconnected()
  assert.deepEqual(book.due(), [dead])
  assert.deepEqual(book.due(), [])

  book.learn([dead], { routed: [dead], unroutable: [], gaveUp: false })
  assert.deepEqual(book.places(), [])
  assert.equal(log.lines.at(-1), 'RabbitMQ serves a queue again')
})
