import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackWindow } from '../../src/broker/rabbitmq-acks.ts'
import { deliveries } from '../../src/broker/rabbitmq-deliveries.ts'
import type { Place } from '../../src/domain/ports.ts'
import { priorities } from '../../src/domain/task.ts'

const high: Place = { queue: 'a', priority: 'high' }
const normal: Place = { queue: 'a', priority: 'normal' }
const low: Place = { queue: 'a', priority: 'low' }
const places = ['a', 'b'].flatMap((queue) => priorities.map((priority) => ({ queue, priority })))
const none = new Set<number>()

/** A channel that remembers what it acked, as [tag, up to it]. */
function channel() {
  const acked: [number, boolean][] = []
  const window = ackWindow<number>((tag, upTo) => void acked.push([tag, upTo]))
  let tag = 0
  return {
    acked,
    window,
    slip() {
      tag += 1
      window.delivered(tag, tag)
      return { window, tag }
    },
  }
}

test('takes turns among queues of the same priority', () => {
  const { slip } = channel()
  const held = deliveries(places)
  for (const packet of [1, 2, 3]) held.arrived(normal, packet, slip())
  for (const packet of [11, 12]) held.arrived({ queue: 'b', priority: 'normal' }, packet, slip())

  assert.deepEqual(held.take(3), [1, 11, 2])
  assert.deepEqual(held.take(3), [12, 3])
  assert.deepEqual(held.take(3), [])
})

test('offers a packet without room again when room comes free, before those behind it', () => {
  const { slip, acked } = channel()
  const held = deliveries(places)
  for (const packet of [1, 2, 3]) held.arrived(normal, packet, slip())
  held.settle(held.take(2), new Set([1, 2]))

  assert.deepEqual(held.take(9), [])
  held.arrived(low, 4, slip())
  assert.deepEqual(held.take(9), [], 'what is not more urgent does not overtake')
  held.arrived(high, 5, slip())
  assert.deepEqual(held.take(9), [5], 'what is more urgent does')

  held.roomFreed()
  assert.deepEqual(held.take(9), [1, 2, 3, 4])
  assert.deepEqual(acked, [])
})

test('does not wait for room that came free while the claim was under way', () => {
  const { slip } = channel()
  const held = deliveries(places)
  held.arrived(normal, 1, slip())
  const taken = held.take(1)
  held.roomFreed()
  held.settle(taken, new Set(taken))

  assert.deepEqual(held.take(1), [1])
})

test('acks in one frame what leaves no gap, and the rest one by one', () => {
  const { slip, acked } = channel()
  const held = deliveries(places)
  for (const packet of [1, 2, 3, 4, 5, 6]) held.arrived(normal, packet, slip())
  const taken = held.take(6)

  held.settle(taken, new Set([3]))
  assert.deepEqual(acked, [
    [2, true],
    [4, false],
    [5, false],
    [6, false],
  ])

  held.roomFreed()
  held.settle(held.take(1), none)
  assert.deepEqual(acked.at(-1), [3, true])
})

test('does not ack with others what is held on the same channel for another reason', () => {
  const { slip, acked } = channel()
  const held = deliveries(places)
  slip() // a marker
  held.arrived(normal, 1, slip())

  held.settle(held.take(1), none)

  assert.deepEqual(acked, [[2, false]])
})

test('acks a second copy at once and keeps the first', () => {
  const { slip, acked } = channel()
  const held = deliveries(places)
  held.arrived(normal, 1, slip())
  held.arrived(normal, 1, slip())

  assert.deepEqual(acked, [[2, false]])
  assert.deepEqual(held.take(9), [1])
  held.settle([1], none)
  assert.deepEqual(acked.at(-1), [1, true])
})

test('forgets what a lost channel had brought, and sends no ack for it through the next', () => {
  const [old, next] = [channel(), channel()]
  const held = deliveries(places)
  held.arrived(normal, 1, old.slip())
  held.arrived(normal, 2, old.slip())
  const taken = held.take(1)
  old.window.close()
  held.forget(old.window)

  assert.deepEqual(held.take(9), [])
  held.settle(taken, none)
  held.arrived(normal, 2, next.slip())
  assert.deepEqual(held.take(9), [2])
  assert.deepEqual([old.acked, next.acked], [[], []])
})

test('acks through the next channel what comes again while it is being claimed', () => {
  const [old, next] = [channel(), channel()]
  const held = deliveries(places)
  held.arrived(normal, 1, old.slip())
  const taken = held.take(1)
  old.window.close()
  held.forget(old.window)
  held.arrived(normal, 1, next.slip())

  assert.deepEqual(held.take(9), [], 'it is in hand already')
  held.settle(taken, none)
  assert.deepEqual([old.acked, next.acked], [[], [[1, true]]])
})

test('drops what was put back after its channel went: it comes again', () => {
  const old = channel()
  const held = deliveries(places)
  held.arrived(normal, 1, old.slip())
  held.arrived(normal, 2, old.slip())
  const taken = held.take(2)
  held.forget(old.window)
  held.settle(taken, new Set([1]))
  held.roomFreed()

  assert.deepEqual(held.take(9), [])
})

test('does not care about packets that it never named', () => {
  const { slip, acked } = channel()
  const held = deliveries(places)
  held.arrived(normal, 1, slip())

  held.settle([1, 99], none) // not taken
  held.putBack([1, 99])

  assert.deepEqual(acked, [])
  assert.deepEqual(held.take(9), [1])
})
