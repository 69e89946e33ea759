import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { isCallbackUrl } from '../../src/domain/callback.ts'
import { isPublicAddress } from '../../src/handlers/webhook-address.ts'
import { AddressRefusedError, post, type Resolve } from '../../src/handlers/webhook-request.ts'

/** A receiver on this machine, on IPv4 and where there is one on IPv6, and how often anybody came. */
async function receiver(t: TestContext) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(String(request.url))
    response.end()
  })
  await new Promise<void>((listening) => server.listen(0, '::', listening).once('error', () => listening()))
  t.after(() => server.close())
  const address = server.address() as AddressInfo
  return { port: address.port, seen }
}

/** What each name of the corpus resolves to. */
const names: Record<string, string[]> = {
  localhost: ['127.0.0.1', '::1'],
  'localhost.': ['127.0.0.1'],
  'app.localhost': ['::1'],
  'loopback.example': ['127.0.0.1'],
  'private.example': ['10.1.2.3'],
  'both.example': ['93.184.215.14', '192.168.0.7'],
  'six.example': ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', 'fd12::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'kubernetes.default.svc': ['10.96.0.1'],
}

const resolve: Resolve = async (name) => {
  const addresses = names[name]
  if (!addresses) throw new Error(`no such name: ${name}`)
  return addresses.map((address) => ({ address, family: isIP(address) }))
}

/** Hosts, each of which leads to this machine or its neighbors; PORT is put behind them. */
const hosts = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '0',
    '0.0.0.0',
    '0x7f.1',
    '0x7f000001',
    '0x7f.0.0.1',
  ],
  ...[
    '017700000001',
    '0177.0.0.1',
    '2130706433',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '１２７.0.0.1',
    '①②⑦.0.0.1',
  ],
  ...['10.0.0.1', '10.255.255.255', '0xa000001', '012.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.1.1', '100.64.0.1'],
  ...[
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.9',
  ],
  ...['224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:10.0.0.1]'],
  ...['[::127.0.0.1]', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::a9fe:a9fe]'],
  ...['[64:ff9b:1::10.0.0.1]', '[2002:7f00:1::]', '[2002:a00:1::1]', '[2002:5db8:d70e::1]', '[2001::7f00:1]'],
  ...['[fe80::1]', '[febf::1]', '[fec0::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]', '[100::1]'],
  ...['[2001:db8::1]', '[2001:2::1]', '[3fff::1]', '[5f00::1]', '[2606:4700::5efe:10.0.0.1]'],
  ...Object.keys(names),
]

describe('an address that is not on the public internet', () => {
  it(`is not connected to, however it is written (${hosts.length} hosts)`, async (t) => {
    const { port, seen } = await receiver(t)
    const attempt = new AbortController()
    let tried = 0
    for (const host of hosts) {
      const url = URL.parse(`http://${host}:${port}/${encodeURIComponent(host)}`)
      if (!url) continue // what is no URL is refused when it is submitted
      tried++
      await assert.rejects(
        post({ url, body: '{}', headers: {}, signal: attempt.signal, isAllowed: isPublicAddress, resolve }),
        AddressRefusedError,
        host,
      )
    }
    assert.ok(tried >= 75, String(tried))
    assert.deepEqual(seen, [])
  })

  it('is not connected to when a name moves there after it was looked at', async (t) => {
    const { port, seen } = await receiver(t)
    let looked = 0
    const rebinding: Resolve = async () =>
      ++looked % 2 === 1 ? [{ address: '192.0.2.1', family: 4 }] : [{ address: '127.0.0.1', family: 4 }]
    const isAllowed = (address: string) => address === '192.0.2.1' || isPublicAddress(address)
    const url = new URL(`http://rebinding.example:${port}/`)
    for (let i = 0; i < 6; i++) {
      const signal = AbortSignal.timeout(50) // the first address belongs to nobody
      await assert.rejects(post({ url, body: '', headers: {}, signal, isAllowed, resolve: rebinding }))
      assert.equal(looked, i + 1, 'looked up once for each attempt')
    }
    assert.deepEqual(seen, [])
  })

  it('is told from one that is', () => {
    const open = [
      ...[
        '1.1.1.1',
        '8.8.8.8',
        '93.184.215.14',
        '172.15.255.255',
        '172.32.0.1',
        '192.167.1.1',
        '100.63.255.255',
      ],
      ...[
        '100.128.0.1',
        '169.253.1.1',
        '198.17.0.1',
        '223.255.255.255',
        '11.0.0.1',
        '126.1.1.1',
        '128.0.0.1',
      ],
      ...['2606:4700:4700::1111', '2a00:1450:4001::200e', '2001:4860:4860::8888', '::ffff:8.8.8.8'],
      '64:ff9b::808:808',
    ]
    for (const address of open) assert.ok(isPublicAddress(address), address)
    for (const address of ['', 'localhost', '1.2.3', 'fe80::1%eth0', '2606:4700::1%eth0', '1.1.1.1:80'])
      assert.ok(!isPublicAddress(address), address)
  })
})

describe('a URL to call back', () => {
  it('is http or https, to a usual port, without a user', () => {
    for (const url of [
      'http://example.com',
      'https://example.com/a?b=c#d',
      'https://example.com:443/',
      'http://example.com:8080/x',
      'https://xn--bcher-kva.example/',
      'https://bücher.example/ä',
      'HTTPS://EXAMPLE.COM',
    ])
      assert.ok(isCallbackUrl(url), url)
  })

  it('is nothing else', () => {
    for (const url of [
      ...['', ' ', 'example.com', '//example.com', '/a', 'http:', 'http://', 'http:///a', 'http:example.com'],
      ...[
        'ftp://example.com',
        'file:///etc/passwd',
        'gopher://example.com:70',
        'javascript:alert(1)',
        'data:,x',
      ],
      ...[
        'http://a:b@example.com',
        'http://a@example.com',
        'http://:b@example.com',
        'http://127.0.0.1@example.com',
      ],
      ...[
        'http://example.com:22',
        'http://example.com:25',
        'http://example.com:0',
        'http://example.com:99999',
      ],
      ...['http://exa mple.com', ' http://example.com', 'http://example.com\n', 'http://exam\tple.com'],
      ...[
        'http://example.com\\@127.0.0.1',
        'http://\u0000example.com',
        'http://[::1',
        'http://[fe80::1%25eth0]/',
      ],
      ...['http://256.1.1.1', 'http://1.2.3.4.5', 'http://0x100000000', 'http://example.com/\ud800'],
      `http://example.com/${'a'.repeat(2_048)}`,
    ])
      assert.ok(!isCallbackUrl(url), JSON.stringify(url))
  })
})
