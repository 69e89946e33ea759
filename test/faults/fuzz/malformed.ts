import fc from 'fast-check'
import { type WireRequest, wireRequest } from './request.ts'
import { knocked } from './spoil.ts'

const body = '{"payload":1}'
const post = (lines: readonly string[], text: string) =>
  ['POST /tasks HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...lines, '', text].join('\r\n')
/** Behind a request whose end can be read in two ways; whoever answers it has read it in the wrong one. */
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

/** Of these, a server may see one request at most. */
const smuggling = [
  post([`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding: identity, chunked', 'Content-Length: 3'], `0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding : chunked'], `0\r\n\r\n${smuggled}`),
  post([' Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
  post(['Content-Length: 0', `Content-Length: ${body.length}`], body + smuggled),
  post(['Content-Length: 0, 13'], body + smuggled),
  post(['Content-Length: +13'], body + smuggled),
  post(['Content-Length: 0x0d'], body + smuggled),
  post(['Content-Length: 1e1'], body + smuggled),
  post(['Content-Length: -1'], smuggled),
  post(['Content-Length: 99999999999999999999'], smuggled),
  post(['Content-Length:\v13'], body + smuggled),
  post(['X: y\nTransfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding: chunked'], `d\n${body}\n0\n\n${smuggled}`),
  post(['Transfer-Encoding: chunked'], `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n${smuggled}`),
  post(['Transfer-Encoding: chunked'], `-d\r\n${body}\r\n0\r\n\r\n${smuggled}`),
]

const chunked = (text: string) => post(['Transfer-Encoding: chunked'], text)

const shapes = [
  ...[
    '',
    '\r\n',
    '\n\n\n',
    '\0',
    ' ',
    'GET',
    'GET /',
    'GET / HTTP/1.1\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'hello\r\n\r\n',
  ],
  ...[
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\0\x01\0',
    'GET / HTTP/1.1\r\nHost: x\r\n',
    'BREW / HTTP/1.1\r\n\r\n',
  ],
  ...[
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET http://x/tasks HTTP/1.1\r\nHost: x\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  ],
  ...[
    'GET /tasks HTTP/1.0\r\n\r\n',
    'GET /stats HTTP/1.1\r\n\r\n',
    'GET  /stats HTTP/1.1\r\nHost: x\r\n\r\n',
    'get /stats HTTP/1.1\r\nHost: x\r\n\r\n',
  ],
  `GET /${'p'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(3_000)}\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`,
  ...[
    'Host: x\r\nHost: y',
    'Host: x\r\nA\0: b',
    'Host: x\r\n: b',
    'Host: x\r\n folded',
    'Host: x\r\nExpect: miracles',
    'Host:',
  ].map((lines) => `GET /healthz HTTP/1.1\r\n${lines}\r\n\r\n`),
  ...[
    'Upgrade: h2c\r\nConnection: upgrade',
    'Connection: close',
    'Upgrade: websocket\r\nConnection: upgrade',
  ].map((lines) => `GET /stats HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`),
  ...[
    `d\r\n${body}\r\n0\r\n\r\n`,
    `d;a=b\r\n${body}\r\n0\r\nTrailer: x\r\n\r\n`,
    `d;${'e'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`,
  ].map(chunked),
  ...[
    'zz\r\n',
    '5\r\nab',
    `${'1\r\n{\r\n'.repeat(5_000)}0\r\n\r\n`,
    `200000\r\n${'a'.repeat(0x200000)}\r\n0\r\n\r\n`,
  ].map(chunked),
  post(['Content-Length: 13'], body) + post(['Content-Length: 13'], body) + smuggled,
  post(['Content-Length: 500'], body),
  post(['Content-Length: 20000000'], body),
  post(['Content-Length: 2000000'], 'x'.repeat(2_000_000)),
  post(['Content-Length: 13', 'Expect: 100-continue'], body),
]

const raw = (bytes: Buffer): WireRequest => ({ method: '', bytes, isWhole: false })

/** What is no request, or not one, or not a whole one. */
export function malformed(wellFormed: fc.Arbitrary<WireRequest>): fc.Arbitrary<WireRequest> {
  const smuggles = fc
    .constantFrom(...smuggling)
    .map((text) => ({ ...raw(Buffer.from(text)), mostAnswers: 1 }))
  const known = fc.constantFrom(...shapes).map((text) => raw(Buffer.from(text, 'latin1')))
  const noise = fc.uint8Array({ maxLength: 400 }).map((bytes) => raw(Buffer.from(bytes)))
  const broken = knocked(wellFormed.map(({ bytes }) => bytes)).map(raw)
  const lines = fc.array(fc.string({ unit: 'binary-ascii' }), { maxLength: 3 })
  const strange = lines.map((headers) => raw(wireRequest({ method: 'GET', path: '/stats', headers }).bytes))
  return fc.oneof(smuggles, { weight: 2, arbitrary: known }, noise, { weight: 3, arbitrary: broken }, strange)
}
