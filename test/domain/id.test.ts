import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idSource, isUuid, lowestIdAt } from '../../src/domain/id.ts'

const latestMs = 2 ** 48 - 100
const instants = fc.integer({ min: 1, max: latestMs })
const uuidv7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDs of version 7', () => {
  fc.assert(
    fc.property(instants, (ms) => {
      const id = idSource(() => ms)()
      assert.match(id, uuidv7)
      assert.ok(isUuid(id))
    }),
  )
})

test('an id carries its millisecond', () => {
  fc.assert(
    fc.property(instants, (ms) => {
      const id = idSource(() => ms)()
      assert.equal(Number.parseInt(id.replace('-', '').slice(0, 12), 16), ms)
    }),
  )
})

test('ids grow, even if the clock stands still or goes back', () => {
  const clocks = fc.array(fc.integer({ min: 1_000, max: 1_010 }), { minLength: 2, maxLength: 200 })
  fc.assert(
    fc.property(clocks, (readings) => {
      let at = 0
      const nextId = idSource(() => readings[at++] ?? 0)
      const ids = readings.map(() => nextId())
      assert.deepEqual(ids, [...new Set(ids)].sort())
    }),
  )
})

test('ids follow a clock that was ahead and is set right', () => {
  const hourMs = 3_600_000
  let nowMs = 1_000_000_000_000 + hourMs
  const nextId = idSource(() => nowMs)
  nextId()
  nowMs -= hourMs

  const ids = [nextId(), nextId()]

  assert.ok(ids[0]! >= lowestIdAt(nowMs) && ids[0]! < ids[1]! && ids[1]! < lowestIdAt(nowMs + 1))
})

test('more ids in a millisecond than the counter holds lend from the next ones', () => {
  const nextId = idSource(() => 1_000)
  const ids = Array.from({ length: 20_000 }, nextId)
  assert.ok(ids.every((id, at) => id > (ids[at - 1] ?? '')))
  assert.ok(ids.every((id) => uuidv7.test(id)))
})

test('sources do not repeat each other', () => {
  const ids = Array.from({ length: 1_000 }, () => idSource(() => 1_000)())
  assert.equal(new Set(ids).size, ids.length)
})

test('the lowest id of a millisecond lies between those of its neighbors', () => {
  fc.assert(
    fc.property(instants, (ms) => {
      const lowest = lowestIdAt(ms)
      assert.ok(isUuid(lowest))
      assert.ok(lowest <= idSource(() => ms)())
      assert.ok(lowest > idSource(() => ms - 1)())
    }),
  )
})

test('the lowest id takes any instant a date can be, also before 1970', () => {
  const dates = fc.date({ noInvalidDate: true }).map((date) => date.getTime())
  fc.assert(fc.property(dates, (ms) => assert.ok(isUuid(lowestIdAt(ms)))))
})

test('other texts are no UUIDs', () => {
  const id = idSource()()
  const others = [
    '',
    id.slice(1),
    `${id}\n`,
    ` ${id}`,
    `{${id}}`,
    id.replaceAll('-', ''),
    id.replace(/.$/, 'g'),
  ]
  assert.deepEqual(others.filter(isUuid), [])
  assert.ok(isUuid(id.toUpperCase()))
})
