import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { failedBy, failureOf } from '../../src/handlers/failure.ts'
import { NonRetryableError, RetryLaterError } from '../../src/index.ts'

const bomb = () => {
  throw new Error('boobytrapped')
}
const trap = new Proxy(
  {},
  { get: bomb, has: bomb, getPrototypeOf: bomb, ownKeys: bomb, getOwnPropertyDescriptor: bomb },
)
const endless: object = new Proxy({}, { getPrototypeOf: () => endless })

function circularCause() {
  const error = new Error('outer')
  error.cause = new Error('inner', { cause: error })
  return error
}

const oddities: [string, unknown, RegExp][] = [
  ['a string', 'no luck', /^no luck$/],
  ['undefined', undefined, /^the handler threw undefined$/],
  ['null', null, /^the handler threw null$/],
  ['a number', 42, /^the handler threw 42$/],
  ['a symbol', Symbol('odd'), /^the handler threw Symbol\(odd\)$/],
  ['a BigInt', 7n, /^the handler threw 7n$/],
  ['a function', bomb, /^the handler threw \[Function: bomb\]$/],
  ['a plain object', { status: 503 }, /^the handler threw \{ status: 503 \}$/],
  ['an object with a message', { message: 'from afar' }, /^from afar$/],
  ['an object without a prototype', Object.create(null), /^the handler threw/],
  ['a frozen error', Object.freeze(new Error('cold')), /^cold$/],
  ['a proxy whose traps throw', trap, /^the handler threw/],
  ['a proxy that is its own prototype', endless, /^the handler threw/],
  ['a revoked proxy', revoked(), /^the handler threw/],
  [
    'an error whose getters throw',
    Object.defineProperty(new Error('x'), 'message', { get: bomb }),
    /^no message$/,
  ],
  ['an error without a message', Object.assign(new Error(), { code: 'ECONNREFUSED' }), /^ECONNREFUSED$/],
  ['an error with a circular cause', circularCause(), /^outer$/],
]

for (const [what, thrown, message] of oddities) {
  test(`describes ${what}`, () => {
    const failure = failureOf(thrown, 3)
    assert.match(failure.message, message)
    assert.equal(failure.attempt, 3)
  })
}

test('keeps name, code and stack, and the stacks of the causes', () => {
  const cause = new TypeError('the wire is cut')
  const failure = failureOf(Object.assign(new RangeError('failed', { cause }), { code: 'E_WIRE' }), 1)

  assert.equal(failure.name, 'RangeError')
  assert.equal(failure.code, 'E_WIRE')
  assert.match(
    failure.stack ?? '',
    /^RangeError: failed\n {4}at .*\nCaused by: TypeError: the wire is cut\n {4}at/s,
  )
})

test('whatever is thrown, the text is bounded, well-formed and without NUL', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\0', '\ud800', 'x'.repeat(100_000), '\u{1f600}'.repeat(50_000), `a${'€'.repeat(9_000)}`),
  )
  const thrown = fc.oneof(
    fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true }),
    text,
    fc.record({ name: text, message: text, code: text, stack: text }),
    text.map((message) => new Error(message, { cause: message })),
  )
  fc.assert(
    fc.property(thrown, (value) => {
      const { name, message, code = '', stack = '' } = failureOf(value, 1)
      const sizes: [string, number][] = [
        [name, 256],
        [message, 8_192],
        [code, 256],
        [stack, 16_384],
      ]
      for (const [part, limit] of sizes) {
        assert.ok(Buffer.byteLength(part) <= limit)
        assert.ok(part.isWellFormed() && !part.includes('\0'))
      }
    }),
  )
})

test('an ordinary error may be tried again, as often as the handler says', () => {
  const verdict = failedBy(new Error('try again'), 1, 7)
  assert.ok(verdict.kind === 'failed' && verdict.retryable && verdict.maxAttempts === 7)
})

class BadAddressError extends NonRetryableError {}

for (const thrown of [
  new NonRetryableError('no'),
  new BadAddressError('no'),
  Object.assign(new Error('of another copy'), { name: 'NonRetryableError' }),
]) {
  test(`${thrown.constructor.name} named ${thrown.name} is not tried again`, () => {
    const verdict = failedBy(thrown, 1, undefined)
    assert.ok(verdict.kind === 'failed' && !verdict.retryable)
  })
}

test('a subclass of another copy of the package is recognized', () => {
  const foreign = { NonRetryableError: class NonRetryableError extends Error {} }
  class TheirError extends foreign.NonRetryableError {}
  const verdict = failedBy(new TheirError('no'), 1, undefined)
  assert.ok(verdict.kind === 'failed' && !verdict.retryable)
})

for (const [given, expected] of [
  [1_500, 1_500],
  [0, 0],
  [-5, 0],
  [1.4, 1],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, 315_360_000_000],
] as const) {
  test(`RetryLaterError with a delay of ${given} waits ${expected ?? 'as usual'}`, () => {
    const verdict = failedBy(new RetryLaterError('later', { delayMs: given }), 1, undefined)
    assert.ok(verdict.kind === 'failed' && verdict.retryable)
    assert.equal(verdict.delayMs, expected)
  })
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
