import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { JsonDepthError, JsonSyntaxError, skipSpace, skipValue } from '../../src/api/json-scan.ts'

function isJson(text: string): boolean {
  return skipSpace(text, skipValue(text, 0)) === text.length
}

function accepts(text: string): boolean {
  try {
    return isJson(text)
  } catch (error) {
    assert.ok(error instanceof JsonSyntaxError, String(error))
    return false
  }
}

function nativeAccepts(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

it('accepts every JSON text, however it is spaced', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 1, '\t', '\r\n '), (json, space) => {
      assert.ok(isJson(` ${JSON.stringify(JSON.parse(json), null, space)}\n`))
    }),
  )
})

it('agrees with JSON.parse about what is JSON', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u00e9',
    '\\ud800',
    '\\x',
    '0',
    '-',
    '1.0',
    '01',
    '.5',
  ]
  const more = [
    '1e400',
    '1E+',
    'e',
    'true',
    'nul',
    'null',
    ' ',
    '\n',
    '\u0000',
    '\u007f',
    '\ud800',
    'é',
    '"a"',
    '"a":1',
  ]
  const text = fc.array(fc.constantFrom(...pieces, ...more), { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, (json) => assert.equal(accepts(json), nativeAccepts(json), json)),
    { numRuns: 20_000 },
  )
})

it('agrees with JSON.parse about JSON texts with one character changed', () => {
  const mutation = fc.tuple(
    fc.json({ maxDepth: 3 }),
    fc.nat(),
    fc.constantFrom(...'{}[],:"\\0-.eEtu \n\u0001'),
  )
  fc.assert(
    fc.property(mutation, ([json, place, character]) => {
      const at = place % json.length
      for (const text of [
        json.slice(0, at) + character + json.slice(at + 1),
        json.slice(0, at) + json.slice(at + 1),
      ])
        assert.equal(accepts(text), nativeAccepts(text), text)
    }),
    { numRuns: 5_000 },
  )
})

it('takes 100 levels and no more', () => {
  const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`
  assert.ok(isJson(nested(100)))
  assert.throws(() => isJson(`[${nested(100)}]`), JsonDepthError)
  assert.ok(isJson(`[${nested(98)},${nested(98)}]`))
})

it('says where the text stops being JSON', () => {
  const message = (text: string) => {
    try {
      isJson(text)
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
    return 'accepted'
  }
  assert.equal(message('{"a":1,\n "b":x}'), 'unexpected "x" at line 2, column 6')
  assert.equal(message('["a\u0000"]'), 'unexpected "\\u0000" at line 1, column 4')
  assert.equal(message('[1, 2'), 'the JSON ends too early')
})
