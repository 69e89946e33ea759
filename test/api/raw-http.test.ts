import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { apiWith, portOf } from './api-under-test.ts'

/** Sends bytes as they are and answers all that comes back until the server ends the connection. */
async function exchange(t: TestContext, ...parts: (string | Buffer)[]): Promise<string> {
  const { app } = await apiWith(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect(portOf(app), '127.0.0.1')
  for (const part of parts) socket.write(part)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function assertRawProblem(reply: string, status: number, code: string) {
  const [head, body] = reply.split('\r\n\r\n')
  assert.match(head ?? '', new RegExp(`^HTTP/1\\.1 ${status} .+`))
  assert.match(head ?? '', /\r\ncontent-type: application\/problem\+json; charset=utf-8/i)
  const problem = JSON.parse(body ?? '')
  assert.equal(problem.code, code)
  assert.equal(problem.status, status)
}

const get = (lines: string) => `GET /healthz HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`
const post = (lines: string, body: string) =>
  `POST /tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n${lines}\r\n${body}`

const cases: [what: string, sent: string, status: number, code: string][] = [
  ['what is not HTTP', 'hello there\r\n\r\n', 400, 'bad-request'],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00', 400, 'bad-request'],
  ['a method that does not exist', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'bad-request'],
  ['a request without Host', get(''), 400, 'bad-request'],
  ['headers of 20 kB', get(`Host: x\r\nX: ${'a'.repeat(20_000)}\r\n`), 431, 'headers-too-large'],
  ['an address of 20 kB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'headers-too-large'],
  ['an unknown expectation', get('Host: x\r\nExpect: miracles\r\n'), 417, 'expectation-failed'],
  ['a proxy request', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n', 405, 'method-not-allowed'],
  [
    'two lengths for a body',
    post(
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
    ),
    400,
    'bad-request',
  ],
  ['two Content-Lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'abcdef'), 400, 'bad-request'],
  ['a negative length', post('Content-Length: -5\r\n', 'abcdef'), 400, 'bad-request'],
  ['an unknown transfer encoding', post('Transfer-Encoding: nonsense\r\n', 'abcdef'), 400, 'bad-request'],
  ['a bare line feed in a header', get('Host: x\r\nA: b\nC: d\r\n'), 400, 'bad-request'],
  ['a NUL in a header', get('Host: x\r\nA: b\x00c\r\n'), 400, 'bad-request'],
  ['a chunk that is not one', post('Transfer-Encoding: chunked\r\n', 'zz\r\nabc\r\n'), 400, 'bad-request'],
  [
    'chunks of more than the limit',
    post('Transfer-Encoding: chunked\r\n', `200000\r\n${'a'.repeat(0x200000)}\r\n0\r\n\r\n`),
    413,
    'body-too-large',
  ],
  [
    'a body of another protocol',
    post('Content-Length: 3\r\nUpgrade: websocket\r\n', 'abc'),
    400,
    'malformed-json',
  ],
]

for (const [what, sent, status, code] of cases)
  it(`answers ${what} with a problem`, { timeout: 10_000 }, async (t) => {
    assertRawProblem(await exchange(t, sent), status, code)
  })

it('answers a whole 413 to a client that sends on', { timeout: 20_000 }, async (t) => {
  const body = Buffer.alloc(8 * 1024 * 1024, 0x61)
  const head = post(`Content-Length: ${body.length}\r\n`, '').replace('Connection: close\r\n', '')
  const reply = await exchange(t, head, body, get('Host: x\r\n'))
  const [refusal, health] = reply.split(/(?<=\})(?=HTTP)/)
  assertRawProblem(refusal ?? '', 413, 'body-too-large')
  assert.match(health ?? '', /^HTTP\/1\.1 200 OK/)
})
