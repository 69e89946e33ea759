import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createClient, MillraceError } from '../../src/client/index.ts'

const event = (id: string, name: string, more = '') =>
  `id: ${id}\nevent: ${name}\ndata: {"status":"${name}",\ndata: "note":"é😀"${more}}\n\n`

type Answer = (response: ServerResponse) => void

/** A server that gives these answers, one after the other, and keeps what it was asked. */
async function scripted(t: TestContext, ...answers: Answer[]) {
  const asked: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    asked.push(request.headers)
    answers.shift()!(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { asked, handle: createClient({ url, apiKey: 'secret' }).task('a/b') }
}

const stream = (text: string | Buffer[], end: 'end' | 'break' | 'stay' = 'end'): Answer => {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const chunk of typeof text === 'string' ? [text] : text)
      await new Promise((resolve) => response.write(chunk, resolve))
    if (end === 'end') response.end()
    if (end === 'break') response.destroy()
  }
}

async function namesOf(events: AsyncIterable<{ name: string }>) {
  const names: string[] = []
  for await (const { name } of events) names.push(name)
  return names
}

test('events are told until the task is final, however their bytes arrive', async (t) => {
  const bytes = Buffer.from(`retry: 1000\n\n:\n\n${event('1', 'pending')}${event('2', 'completed')}`)
  const { asked, handle } = await scripted(
    t,
    stream(
      [...bytes].map((byte) => Buffer.from([byte])),
      'stay',
    ),
  )

  const events = []
  for await (const one of handle.events()) events.push(one)

  assert.deepEqual(
    events.map(({ name }) => name),
    ['pending', 'completed'],
  )
  assert.equal(Reflect.get(events[0]!.task, 'note'), 'é😀')
  assert.equal(asked[0]?.authorization, 'Bearer secret')
})

test('a stream that breaks or ends goes on after the last event that was seen', async (t) => {
  const { asked, handle } = await scripted(
    t,
    stream(`${event('1', 'pending')}id: 2\nevent: proc`, 'break'),
    (response) => void response.writeHead(503).end(),
    (response) => void response.destroy(),
    stream(event('3', 'processing')),
    stream(event('4', 'failed')),
  )

  assert.deepEqual(await namesOf(handle.events()), ['pending', 'processing', 'failed'])
  assert.deepEqual(
    asked.map((headers) => headers['last-event-id']),
    [undefined, '1', '1', '1', '3'],
  )
})

test('nothing more is asked when the server has nothing more to tell', async (t) => {
  const { handle } = await scripted(t, (response) => void response.writeHead(204).end())
  assert.deepEqual(await namesOf(handle.events()), [])
})

test('a refusal is what every call fails with', async (t) => {
  const { handle } = await scripted(
    t,
    (response) => void response.writeHead(404).end('{"code":"task-not-found","detail":"there is no task"}'),
  )
  await assert.rejects(
    namesOf(handle.events()),
    (error) => error instanceof MillraceError && error.code === 'task-not-found' && error.status === 404,
  )
})

test('a signal ends it with its reason, and leaving the loop closes the connection', async (t) => {
  const closed = Promise.withResolvers<void>()
  const open: Answer = (response) => {
    response.on('close', closed.resolve)
    void stream(event('1', 'pending'), 'stay')(response)
  }
  const { handle } = await scripted(t, open, stream(event('1', 'pending'), 'stay'))
  for await (const _ of handle.events()) break
  await closed.promise

  const stop = new AbortController()
  const reason = new Error('enough')
  await assert.rejects(async () => {
    for await (const _ of handle.events({ signal: stop.signal })) stop.abort(reason)
  }, reason)
})

test('who follows is told when the connection is gone, and when it is there again', async (t) => {
  const { handle } = await scripted(
    t,
    stream(event('1', 'pending'), 'break'),
    stream(event('2', 'completed'), 'stay'),
  )
  const told: boolean[] = []

  await namesOf(handle.events({ onConnection: (isOpen) => told.push(isOpen) }))

  assert.deepEqual(told, [true, false, true])
})
