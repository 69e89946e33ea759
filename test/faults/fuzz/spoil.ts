import fc from 'fast-check'

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

/** JSON, and nearly JSON, that programs have stumbled over. */
const oddTexts = [
  ...['null', 'true', '-0', '1e400', '-1e-400', '0.1e1', '01', '1.', '.5', '+1', '0x10', 'NaN', 'Infinity'],
  ...['9007199254740993', '-9223372036854775809', '2147483648', '9'.repeat(400), `0.${'3'.repeat(400)}`],
  ...[
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\ufeff"',
    '"\\u202e"',
    '"\\x41"',
    '"\\u12"',
  ],
  ...[
    '"e\u0301\u0327"',
    '"\u{1f468}\u200d\u{1f469}"',
    '"\u0000"',
    '"\t"',
    "'single'",
    '"2030-02-30T00:00:00Z"',
  ],
  ...[
    '"9999-12-31T23:59:59Z"',
    '"1970-01-01T00:00:00-23:59"',
    `"${'x'.repeat(300)}"`,
    `"${'é'.repeat(50_000)}"`,
  ],
  ...['[]', '{}', '[[]]', '[,]', '{"a":1,}', '{"a":1,"a":2}', '/**/', '--', '"', '{', ']', '\ufeff', ' ', ''],
  ...[
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '"__proto__"',
    '"toString"',
  ],
  ...['"payload"', '"tasks"', '"paylaod"', '"type"', '"idempotencyKey"', '"default"', '"\\u0070ayload"'],
  ...[deep(90), deep(101), deep(5_000), deep(200_000), '{"a":'.repeat(2_000), '['.repeat(100_000)],
]

const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\]:,]/g

type Change = { at: number; how: 'replace' | 'drop' | 'double'; odd: string }

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'replace', 'replace', 'drop', 'double'),
  odd: fc.constantFrom(...oddTexts),
})

/** A JSON text of which some tokens were replaced by odd ones, left out or doubled. */
export function spoiled(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(texts, fc.array(change, { minLength: 1, maxLength: 3 })).map(([text, changes]) => {
    const parts = text.match(tokens) ?? []
    for (const { at, how, odd } of changes) {
      const place = at % Math.max(1, parts.length)
      const old = parts[place] ?? ''
      if (how === 'drop') parts.splice(place, 1)
      else parts[place] = how === 'double' ? old + old : odd
    }
    return parts.join('')
  })
}

type Knock = { at: number; how: 'flip' | 'cut' | 'insert'; byte: number }

const knock: fc.Arbitrary<Knock> = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('flip', 'flip', 'insert', 'cut'),
  byte: fc.integer({ min: 0, max: 255 }),
})

/** Bytes of which some were changed, some put between, or the end cut off. */
export function knocked(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(bytes, fc.array(knock, { minLength: 1, maxLength: 4 })).map(([whole, knocks]) => {
    let changed = whole
    for (const { at, how, byte } of knocks) {
      const place = at % (changed.length + 1)
      const rest = changed.subarray(how === 'flip' ? place + 1 : place)
      const end = how === 'cut' ? [] : [Buffer.of(byte), rest]
      changed = Buffer.concat([changed.subarray(0, place), ...end])
    }
    return changed
  })
}
