import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonFault } from '../../../dashboard/src/ui/json/fault.ts'
import {
  indented,
  itemsOf,
  type JsonNode,
  rootOf,
  withoutTricks,
} from '../../../dashboard/src/ui/json/tree.ts'

describe('JSON as it was written', () => {
  it('is shown with every number, name and string as they stand', () => {
    const text = '{"big":12345678901234567890,"far":1e400,"one":1.0,"big":-0,"s":"\\u0041\\/","e":[],"o":{ }}'
    assert.equal(
      indented(text),
      [
        '{',
        '  "big": 12345678901234567890,',
        '  "far": 1e400,',
        '  "one": 1.0,',
        '  "big": -0,',
        '  "s": "\\u0041\\/",',
        '  "e": [],',
        '  "o": {}',
        '}',
      ].join('\n'),
    )
  })

  it('is the same value in pieces as in whole', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 2), (compact, indent) => {
        const text = JSON.stringify(JSON.parse(compact), null, indent)
        assert.deepEqual(parsed(text, rootOf(text)), JSON.parse(text))
        assert.deepEqual(JSON.parse(indented(text)), JSON.parse(text))
        assert.deepEqual(JSON.parse(withoutTricks(text)), JSON.parse(text))
      }),
    )
  })

  it('says of any text what JSON.parse says of it', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '01',
      '1e9',
      'true',
      'nul',
      ' ',
      '\n',
    )
    const text = fc.oneof(
      fc.array(piece).map((list) => list.join('')),
      fc.json(),
      fc.string(),
    )
    fc.assert(
      fc.property(text, (json) => {
        assert.equal(jsonFault(json) === undefined, isJson(json), json)
      }),
      { numRuns: 2_000 },
    )
  })

  it('says where a text stops to be JSON', () => {
    const fault = (text: string) => {
      const found = jsonFault(text)
      return found && `${found.line}:${found.column} ${found.detail}`
    }
    assert.equal(fault('{"a": 1,\n "b" 2}'), '2:6 a colon belongs here')
    assert.equal(fault("{'a': 1}"), '1:2 a name in double quotes or } belongs here')
    assert.equal(fault('[1, 2'), '1:6 the text ends, and a comma or the closing bracket belongs here')
    assert.equal(fault('[1, ]'), '1:5 a value belongs here')
    assert.equal(fault('"a\nb"'), '1:3 a string cannot go over lines: write \\n for the end of a line')
    assert.equal(fault('["\\x"]'), '1:3 there is no such escape in JSON')
    assert.equal(fault('hello'), '1:1 a value belongs here')
    assert.equal(fault('1 2'), '1:3 the value ends before this')
    assert.equal(fault(''), '1:1 the text ends, and a value belongs here')
  })

  it('hides nothing behind characters that turn the line around', () => {
    assert.equal(withoutTricks('"a\u202eb\u200b\ufeff"'), '"a\\u202eb\\u200b\\ufeff"')
  })
})

function parsed(text: string, node: JsonNode): unknown {
  const items = itemsOf(text, node)
  if (node.kind === 'array') return items.map((item) => parsed(text, item.node))
  if (node.kind === 'object') {
    const members: Record<string, unknown> = Object.create({})
    for (const { name, node: item } of items)
      Object.defineProperty(members, JSON.parse(name!), {
        value: parsed(text, item),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    return { ...members }
  }
  return JSON.parse(text.slice(node.from, node.to))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
