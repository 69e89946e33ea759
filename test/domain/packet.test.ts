import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Capacity, pack, packetLimit, packetSize } from '../../src/domain/packet.ts'
import type { NewTask } from '../../src/domain/submission.ts'
import { priorities } from '../../src/domain/task.ts'

const queues = ['default', 'mail', 'default 2', 'low', '__proto__']
const concurrency = fc.integer({ min: 1, max: 20_000 })
const capacities: fc.Arbitrary<Capacity> = fc.record({
  workers: fc.nat(50),
  smallestConcurrency: concurrency,
})

const tasks: fc.Arbitrary<NewTask[]> = fc
  .array(fc.record({ queue: fc.constantFrom(...queues), priority: fc.constantFrom(...priorities) }), {
    maxLength: 500,
  })
  .map((places) =>
    places.map((place, at) => ({ ...place, id: String(at), payload: 'null', type: 'work', due: 'now' })),
  )

const placeOf = ({ queue, priority }: Pick<NewTask, 'queue' | 'priority'>) =>
  JSON.stringify([queue, priority])

test('a packet never leaves more than 1/16 of a worker idle, and is 1 to 100', () => {
  fc.assert(
    fc.property(concurrency, (slots) => {
      const limit = packetLimit(slots)
      assert.ok(Number.isInteger(limit) && limit >= 1 && limit <= 100)
      assert.ok(limit === 1 || limit <= slots / 16)
    }),
  )
  assert.deepEqual([1, 16, 31, 32, 1_000, 1_600, 10_000].map(packetLimit), [1, 1, 1, 2, 62, 100, 100])
})

test('a packet is no more than an even share for each worker', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), capacities, (count, capacity) => {
      const size = packetSize(count, capacity)
      assert.ok(Number.isInteger(size) && size >= 1)
      assert.ok(size <= Math.ceil(count / Math.max(1, capacity.workers)))
      assert.ok(size <= packetLimit(capacity.smallestConcurrency))
    }),
  )
})

test('packing loses, adds and repeats no task', () => {
  fc.assert(
    fc.property(tasks, capacities, (given, capacity) => {
      const packed = pack(given, () => capacity)
      assert.deepEqual(new Set(packed.tasks), new Set(given))
      assert.equal(packed.tasks.length, given.length)
    }),
  )
})

test('packets cover the packed tasks without gap or overlap, each in one place and within its size', () => {
  fc.assert(
    fc.property(tasks, capacities, (given, capacity) => {
      const { tasks: packed, packets } = pack(given, () => capacity)
      let next = 0
      for (const { first, last, ...place } of packets) {
        assert.equal(first, next)
        assert.ok(last >= first)
        const inside = packed.slice(first, last + 1)
        assert.ok(inside.every((task) => placeOf(task) === placeOf(place)))
        const inPlace = given.filter((task) => placeOf(task) === placeOf(place))
        assert.ok(inside.length <= packetSize(inPlace.length, capacity))
        next = last + 1
      }
      assert.equal(next, packed.length)
    }),
  )
})

test('packing keeps the order of tasks in each place', () => {
  fc.assert(
    fc.property(tasks, capacities, (given, capacity) => {
      const packed = pack(given, () => capacity).tasks
      for (const place of new Set(given.map(placeOf))) {
        const here = (task: NewTask) => placeOf(task) === place
        assert.deepEqual(packed.filter(here), given.filter(here))
      }
    }),
  )
})

test('each queue is packed for its own workers', () => {
  const given = ['small', 'large'].flatMap((queue) =>
    Array.from({ length: 200 }, (_, at): NewTask => {
      return { id: `${queue}${at}`, queue, priority: 'normal', payload: 'null', type: 'work', due: 'now' }
    }),
  )
  const { packets } = pack(given, (queue) => ({
    workers: 1,
    smallestConcurrency: queue === 'small' ? 16 : 1_600,
  }))
  assert.equal(packets.filter(({ queue }) => queue === 'small').length, 200)
  assert.equal(packets.filter(({ queue }) => queue === 'large').length, 2)
})
