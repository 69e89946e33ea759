import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { elementTexts, memberTexts } from '../../src/client/json-text.ts'

describe('the texts inside a JSON text', () => {
  it('are each as it was written', () => {
    const text =
      '{ "n" : 12345678901234567890 , "f":1.0,"e":1e400, "a":[1, {"x":"}]"}], "s":"q\\"\\\\", "o":{} }'
    assert.deepEqual(Object.fromEntries(memberTexts(text)), {
      n: '12345678901234567890',
      f: '1.0',
      e: '1e400',
      a: '[1, {"x":"}]"}]',
      s: '"q\\"\\\\"',
      o: '{}',
    })
    assert.deepEqual(elementTexts(' [ 1.0 , "," ,[2,3], {"a":[]} ] '), ['1.0', '","', '[2,3]', '{"a":[]}'])
  })

  it('are none in an empty object or array', () => {
    assert.equal(memberTexts(' { } ').size, 0)
    assert.deepEqual(elementTexts('[]'), [])
  })

  it('parse to what the whole parses to', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 2),
        (value, indent) => {
          const text = JSON.stringify(value, undefined, indent)
          const members = [...memberTexts(text)].map(([name, member]) => [name, JSON.parse(member)])
          assert.deepEqual(members, Object.entries(JSON.parse(text)))
          const elements = elementTexts(JSON.stringify(Object.values(value), undefined, indent))
          assert.deepEqual(
            elements.map((element) => JSON.parse(element)),
            JSON.parse(JSON.stringify(Object.values(value))),
          )
        },
      ),
    )
  })

  it('are found at any depth', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    assert.equal(memberTexts(`{"deep":${deep}}`).get('deep'), deep)
  })
})
