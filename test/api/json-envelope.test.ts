import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { EnvelopeError, readBatchEnvelope, readEnvelope } from '../../src/api/json-envelope.ts'

const space = fc.constantFrom('', ' ', '\n', '\t', '\r\n  ')
const oddJson = fc.constantFrom(
  '1e400',
  '12345678901234567890',
  '1.0',
  '-0',
  '"\\u0000"',
  '"\\ud800"',
  '{"b":1,"a":2}',
)
const anyJson = fc.oneof(
  oddJson,
  fc.json({ maxDepth: 4 }),
  fc.jsonValue().map((value) => JSON.stringify(value, null, 1)),
  fc.array(oddJson).map((items) => `[ ${items.join(' ,\n')} ]`),
)
const payloadKey = fc.constantFrom('"payload"', '"p\\u0061yload"', '"\\u0070\\u0061yloa\\u0064"')
const otherMember = fc.tuple(fc.uniqueArray(fc.constantFrom('type', 'queue', 'runAt')), anyJson)

type Written = { text: string; payload: string }

/** An object with a payload, written in any of the ways in which it may be. */
const written: fc.Arbitrary<Written> = fc
  .record({ payload: anyJson, key: payloadKey, others: otherMember, at: fc.nat(), gap: space })
  .map(({ payload, key, others: [names, value], at, gap }) => {
    const members = names.map((name) => `"${name}"${gap}:${gap}${value}`)
    members.splice(at % (members.length + 1), 0, `${key}${gap}:${gap}${payload}`)
    return { text: `${gap}{${gap}${members.join(`${gap},${gap}`)}${gap}}${gap}`, payload }
  })

it('takes a payload out of any envelope byte for byte', () => {
  fc.assert(
    fc.property(written, ({ text, payload }) => assert.equal(readEnvelope(text).payload, payload)),
    { numRuns: 2_000 },
  )
})

it('takes every payload out of any batch byte for byte', () => {
  fc.assert(
    fc.property(fc.array(written), space, (tasks, gap) => {
      const text = `${gap}{${gap}"t\\u0061sks":${gap}[${gap}${tasks.map((task) => task.text).join(',')}${gap}]${gap}}`
      const batch = readBatchEnvelope(text, 10_000)
      assert.deepEqual(
        batch.tasks.map((task) => task?.payload),
        tasks.map((task) => task.payload),
      )
    }),
  )
})

it('parses the other members as JSON.parse does', () => {
  fc.assert(
    fc.property(written, ({ text }) => {
      const { payload, ...fields } = JSON.parse(text)
      assert.deepEqual(readEnvelope(text).fields, fields)
    }),
  )
})

it('ignores a payload inside another member or inside a text', () => {
  assert.equal(readEnvelope('{"type":{"payload":1},"payload":2}').payload, '2')
  assert.equal(readEnvelope('{"type":"{\\"payload\\":1}"}').payload, undefined)
})

it('keeps __proto__ as a field of its own', () => {
  const { fields } = readEnvelope('{"payload":1,"__proto__":{"type":"sneaky"}}')
  assert.ok(Object.hasOwn(fields, '__proto__'))
  assert.equal(fields.type, undefined)
})

it('tells repeated members, an escaped one too', () => {
  assert.deepEqual(readEnvelope('{"payload":1,"p\\u0061yload":2,"type":"a","type":"b"}').repeated, [
    'payload',
    'type',
  ])
})

it('gives up on a batch with more tasks than the limit', () => {
  const text = (count: number) => `{"tasks":[${Array(count).fill('{"payload":1}').join()}]}`
  assert.equal(readBatchEnvelope(text(5), 5).tasks.length, 5)
  assert.throws(() => readBatchEnvelope(text(6), 5), EnvelopeError)
})

it('gives up on an object with more members than any could have', () => {
  const members = Array.from({ length: 101 }, (_, i) => `"f${i}":1`).join()
  assert.throws(() => readEnvelope(`{${members}}`), EnvelopeError)
  assert.equal(
    Object.keys(readEnvelope(`{${members.slice(0, members.lastIndexOf(','))}}`).fields).length,
    100,
  )
})
