import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { testFolder } from '../../support/folder.ts'
import { seeded } from '../trial/random.ts'
import { openClient } from './client.ts'
import { type ClientLine, readLines } from './ledger.ts'

const task = { id: 'task-1', status: 'pending', attempt: 0 }

describe('client of the faults', () => {
  it('writes down what was accepted, with its key', async (t) => {
    const { client, lines } = await clientOf(t, [[201, task]])
    assert.equal(await client.submitKeyed({ type: 'quick' }, 'key-1'), 'task-1')
    assert.deepEqual(lines(), [
      { what: 'submitted', ids: ['task-1'], type: 'quick', key: 'key-1', status: 201 },
    ])
  })

  it('asks with one key until it is accepted, and writes down each refusal', async (t) => {
    const { client, lines, keys } = await clientOf(t, [
      'reset',
      [503, { code: 'down', detail: 'down' }],
      [200, task],
    ])
    assert.equal(await client.submitKeyed({ type: 'quick' }, 'key-1'), 'task-1')
    assert.deepEqual(keys, ['key-1', 'key-1', 'key-1'])
    assert.deepEqual(
      lines().map(({ what, status }) => [what, status]),
      [
        ['refused', 0],
        ['refused', 503],
        ['submitted', 200],
      ],
    )
  })

  it('answers no ids when nobody knows whether a batch was accepted', async (t) => {
    const { client, lines } = await clientOf(t, ['reset'])
    assert.deepEqual(await client.submit([{ type: 'quick' }, { type: 'quick' }]), [])
    assert.equal(lines()[0]?.what, 'refused')
  })

  it('keeps what a refusal says', async (t) => {
    const { client, lines } = await clientOf(t, [
      [503, { code: 'down', detail: 'away' }, { 'retry-after': '2' }],
    ])
    assert.equal(await client.cancel('task-1'), undefined)
    assert.deepEqual(lines(), [
      {
        what: 'refused',
        status: 503,
        reason: 'away',
        code: 'down',
        retryAfter: '2',
        request: 'cancel',
        id: 'task-1',
      },
    ])
  })

  it('takes a conflict for an answer, and the task from it', async (t) => {
    const { client, lines } = await clientOf(t, [
      [409, { code: 'no', task: { ...task, status: 'completed', attempt: 1 } }],
    ])
    assert.equal(await client.cancel('task-1'), undefined)
    assert.deepEqual(lines(), [
      { what: 'canceled', id: 'task-1', status: 409, taskStatus: 'completed', attempt: 1 },
    ])
  })
})

type Answer = 'reset' | [status: number, body: unknown, headers?: Record<string, string>]

/** A client of a server that gives these answers, one after the other. */
async function clientOf(t: TestContext, answers: Answer[]) {
  const ledger = join(testFolder(t), 'client.jsonl')
  const keys: (string | undefined)[] = []
  const url = await serve(t, (request, response) => {
    keys.push(request.headers['idempotency-key']?.toString())
    const answer = answers.shift() ?? 'reset'
    if (answer === 'reset') return void request.socket.destroy()
    const [status, body, headers] = answer
    response.writeHead(status, headers).end(JSON.stringify(body))
  })
  const lines = () => readLines<ClientLine>(ledger).map(({ at: _, sentAt: __, ...line }) => line)
  return { client: openClient([url], { ledger, random: seeded(1) }), lines, keys }
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
