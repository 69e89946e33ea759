import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import pg from 'pg'
import { emptyDatabase, query } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { type Link, openLink } from './link.ts'
import { boundStatement, messageReader } from './wire.ts'

describe('link', () => {
  it('carries bytes both ways, and the end of each side', async (t) => {
    const { client, server } = await joined(t)
    client.write('to the server')
    assert.equal(await read(server), 'to the server')
    server.write('and back')
    assert.equal(await read(client), 'and back')

    client.end()
    await once(server.resume(), 'end')
    server.end('the last of it')
    assert.equal(await read(client), 'the last of it')
  })

  it('carries more than fits into its buffers, in order', async (t) => {
    const { client, server } = await joined(t)
    const sent = Buffer.alloc(8_000_000, 'some text that does not repeat at round places; ')
    client.end(sent)
    const received = Buffer.concat(await server.toArray())
    assert.ok(received.equals(sent))
  })

  it('ends connections with a reset, and accepts new ones', async (t) => {
    const { client, server, link, again } = await joined(t)
    assert.equal(link.open(), 1)
    link.cut()
    assert.deepEqual(await Promise.all([brokenBy(client), brokenBy(server)]), ['ECONNRESET', 'ECONNRESET'])
    await until(() => link.open() === 0, { what: 'nothing is open' })

    const next = await again()
    next.client.write('hello')
    assert.equal(await read(next.server), 'hello')
  })

  it('keeps a frozen connection open and silent for ever, and thaws for new ones', async (t) => {
    const { client, server, link, again } = await joined(t)
    link.freeze()
    client.write('nobody hears this')
    server.write('nor this')
    link.thaw()

    const next = await again()
    next.client.write('heard')
    assert.equal(await read(next.server), 'heard')
    assert.deepEqual([client.bytesRead, server.bytesRead], [0, 0])
    assert.deepEqual([client.closed, server.closed], [false, false])

    link.bury()
    assert.deepEqual(await Promise.all([brokenBy(client), brokenBy(server)]), ['ECONNRESET', 'ECONNRESET'])
    assert.equal(link.open(), 1)
  })

  it('strikes those alone who came through the door that is named', async (t) => {
    const { client, server, link, again } = await joined(t)
    const other = await again(await link.door('worker-1'))
    link.cut('worker-1')
    assert.equal(await brokenBy(other.client), 'ECONNRESET')
    client.write('still here')
    assert.equal(await read(server), 'still here')
    assert.deepEqual([link.open(), link.open('worker-1')], [1, 0])
  })

  it('delays each byte, and none overtakes another when the delay ends', async (t) => {
    const { client, server, link } = await joined(t)
    link.delay(100)
    const sentAtMs = performance.now()
    client.write('late ')
    await until(() => link.open() === 1 && performance.now() - sentAtMs > 20, { what: 'a moment' })
    link.delay(0)
    client.end('later')
    assert.equal(Buffer.concat(await server.toArray()).toString(), 'late later')
    assert.ok(performance.now() - sentAtMs >= 99)
  })
})

describe('cut around a commit', () => {
  it('before: the statement never reaches the server', async (t) => {
    const { client, link, rows } = await database(t)
    const cut = link.cutCommit({ side: 'before', statements: ['things.add'] })
    await assert.rejects(add(client, 1), /ECONNRESET|terminated/)
    await cut
    assert.deepEqual(await rows(), [])
  })

  it('after: it is stored, and the client never hears of it', async (t) => {
    const { client, link, rows } = await database(t)
    const cut = link.cutCommit({ side: 'after', statements: ['things.add'] })
    await assert.rejects(add(client, 1), /ECONNRESET|terminated/)
    await cut
    assert.deepEqual(await rows(), [1])
  })

  for (const [side, stored] of [
    ['before', []],
    ['after', [1, 2]],
  ] as const)
    it(`${side} the commit of the transaction that it is in`, async (t) => {
      const { client, link, rows } = await database(t)
      const cut = link.cutCommit({ side, statements: ['things.add'] })
      await client.query('begin')
      await add(client, 1)
      await add(client, 2)
      await assert.rejects(client.query('commit'), /ECONNRESET|terminated/)
      await cut
      assert.deepEqual(await rows(), stored)
    })

  it('leaves other statements, and other doors, alone', async (t) => {
    const { client, link, rows } = await database(t)
    const stopping = new AbortController()
    const other = link.cutCommit({ side: 'before', statements: ['things.remove'] }, stopping.signal)
    const elsewhere = link.cutCommit(
      { side: 'after', statements: ['things.add'], who: 'worker-1' },
      stopping.signal,
    )
    await add(client, 1)
    stopping.abort(new Error('enough'))
    await Promise.all([assert.rejects(other, /enough/), assert.rejects(elsewhere, /enough/)])
    assert.deepEqual(await rows(), [1])
  })

  it('waits for one that commits something, and lets those that do not hear their answer', async (t) => {
    const { client, link, rows } = await database(t)
    await add(client, 1)
    const cut = link.cutCommit({ side: 'after', statements: ['things.add', 'things.none'] })
    await assert.rejects(add(client, 1), /duplicate key/)
    assert.equal((await client.query({ name: 'things.none', text: 'select where false' })).rowCount, 0)
    await assert.rejects(add(client, 2), /ECONNRESET|terminated/)
    await cut
    assert.deepEqual(await rows(), [1, 2])
  })

  it('goes to another connection when the transaction does not come to its commit', async (t) => {
    const { client, link, rows, connectAgain } = await database(t)
    const cut = link.cutCommit({ side: 'after', statements: ['things.add'] })
    await client.query('begin')
    await add(client, 1)
    await client.end()
    await until(() => link.open() === 0, { what: 'the first is gone' })
    await assert.rejects(add(await connectAgain(), 2), /ECONNRESET|terminated/)
    await cut
    assert.deepEqual(await rows(), [2])
  })
})

it('reads messages wherever their pieces begin and end', () => {
  const opening = Buffer.from([0, 0, 0, 8, 0, 3, 0, 0])
  const bind = Buffer.from('B\0\0\0\x16p\0tasks.submit\0\0\0', 'latin1')
  bind.writeUInt32BE(bind.length - 1, 1)
  const stream = Buffer.concat([opening, bind, bind])
  for (let size = 1; size <= stream.length; size++) {
    const read = messageReader({ opens: true })
    const messages = []
    for (let at = 0; at < stream.length; at += size) messages.push(...read(stream.subarray(at, at + size)))
    assert.deepEqual(messages.map(boundStatement), [undefined, 'tasks.submit', 'tasks.submit'])
  }
})

/** A client and a server, joined by a link. */
async function joined(t: TestContext) {
  const arrived: Socket[] = []
  const listener = createServer({ allowHalfOpen: true }, (socket) =>
    arrived.push(socket.on('error', () => {})),
  )
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  const address = listener.address()
  assert.ok(address && typeof address !== 'string')
  const link = await openLink(`amqp://127.0.0.1:${address.port}`)
  t.after(async () => {
    await link.close()
    listener.close()
    for (const socket of arrived) socket.destroy()
  })
  return { ...(await again()), link, again }

  async function again(url = link.url) {
    const before = arrived.length
    const client = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => {})
    t.after(() => client.destroy())
    await until(() => arrived.length > before, { what: 'the connection arrives' })
    return { client, server: arrived.at(-1)! }
  }
}

async function read(socket: Socket): Promise<string> {
  const [bytes] = await once(socket, 'data')
  return String(bytes)
}

async function brokenBy(socket: Socket): Promise<string | undefined> {
  socket.resume()
  await until(() => socket.closed, { what: 'the socket is closed' })
  return (socket.errored as NodeJS.ErrnoException | null)?.code
}

/** A table `things` with numbers as keys, and a client that reaches it through a link. */
async function database(t: TestContext) {
  const url = await emptyDatabase(t)
  await query(url, 'create table things (n int primary key)')
  const link: Link = await openLink(url)
  t.after(link.close)
  const connectAgain = async () => {
    const client = new pg.Client({ connectionString: link.url })
    client.on('error', () => {})
    await client.connect()
    t.after(() => client.end())
    return client
  }
  const rows = async () =>
    (await query<{ n: number }>(url, 'select n from things order by n')).map(({ n }) => n)
  return { link, connectAgain, client: await connectAgain(), rows }
}

function add(client: pg.Client, n: number) {
  return client.query({ name: 'things.add', text: 'insert into things values ($1)', values: [n] })
}
