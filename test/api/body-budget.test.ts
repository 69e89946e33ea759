import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { apiWith, portOf } from './api-under-test.ts'

const mostBytes = 64 * 1024 * 1024
/** What Node has read of a connection before it hears that it should wait. */
const slackBytes = 1024 * 1024
const task = `{"payload":"${'x'.repeat(1_000_000)}"}`
const end = ']}'
const beginning = `{"tasks":[${Array.from({ length: 15 }, () => task).join()}`
const head = `POST /tasks/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${beginning.length + end.length}\r\n\r\n`

async function listening(t: TestContext) {
  const senders: Socket[] = []
  // Before the server is closed, which waits for requests in hand.
  t.after(() => senders.forEach((sender) => void sender.destroy()))
  const { app } = await apiWith(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const connections = new Set<Socket>()
  app.server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  return {
    /** Sends a body but for its end. */
    begin() {
      const socket = connect(portOf(app), '127.0.0.1').on('error', () => {})
      senders.push(socket)
      socket.write(head + beginning)
      return socket
    },
    bytesRead: () => [...connections].reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    ask: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${portOf(app)}${path}`, init),
  }
}

/** Resolves when nothing more is read. */
async function untilStill(bytesRead: () => number): Promise<number> {
  for (let last = -1; ; last = bytesRead()) {
    await sleep(300)
    if (last > 0 && last === bytesRead()) return last
  }
}

it('reads no more of large bodies than it has room for', { timeout: 60_000 }, async (t) => {
  const { begin, bytesRead } = await listening(t)

  const senders = Array.from({ length: 12 }, begin)

  const read = await untilStill(bytesRead)
  // Of the oldest all is read, however little of it had come when the room was full.
  const most = mostBytes + beginning.length + senders.length * slackBytes
  assert.ok(read >= mostBytes && read <= most, `${read} bytes`)
})

it('answers small requests while large bodies wait', { timeout: 60_000 }, async (t) => {
  const { begin, bytesRead, ask } = await listening(t)
  Array.from({ length: 12 }, begin)
  await untilStill(bytesRead)

  const headers = { 'content-type': 'application/json' }
  const reply = await ask('/tasks', { method: 'POST', headers, body: '{"payload":1}' })

  assert.equal(reply.status, 201)
})

it('reads the next large body when one is answered or its client is gone', { timeout: 60_000 }, async (t) => {
  const { begin, bytesRead } = await listening(t)
  const senders = Array.from({ length: 12 }, begin)
  await untilStill(bytesRead)
  const answers: string[] = []
  for (const sender of senders)
    sender.once('data', (answer) => answers.push(answer.toString('latin1', 0, 12)))

  for (const sender of senders.splice(0, 4)) sender.destroy()
  for (const sender of senders) sender.write(end)

  await until(() => answers.length === senders.length, {
    deadlineMs: 30_000,
    what: 'all others are answered',
  })
  assert.deepEqual(new Set(answers), new Set(['HTTP/1.1 201']))
})
