import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import type { Submission } from '../../src/domain/submission.ts'
import { until } from '../support/until.ts'
import { apiWith, portOf } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const url = '/tasks/import'
const headers = { 'content-type': 'application/x-ndjson' }

type Answer = { line: number; id?: string; error?: { code: string; detail: string } }

/** An API whose imports keep what they are given, and answer the payload as the id. */
async function importingApi(
  t: TestContext,
  add?: (tasks: readonly Submission[]) => Promise<(string | TaskError)[]>,
) {
  const stored: Submission[] = []
  const lots: number[] = []
  let closed = 0
  const { app, log } = await apiWith(t, {
    openImport: async () => ({
      batchId: 'the-batch',
      async add(tasks) {
        const answers = await (add?.(tasks) ?? tasks.map(({ payload }) => payload.replaceAll('"', '')))
        stored.push(...tasks)
        lots.push(tasks.length)
        return answers
      },
      close: async () => void closed++,
    }),
  })
  const post = (body: string | Buffer, more: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url, body, headers: { ...headers, ...more } })
  const open = async () => {
    if (app.addresses().length === 0) await app.listen({ port: 0 })
    return request({ port: portOf(app), method: 'POST', path: url, headers })
  }
  return { app, log, post, open, stored, lots, closed: () => closed }
}

const answersIn = (body: string): Answer[] =>
  body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

async function answered(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = await once(sent, 'response')
  return response
}

describe('POST /tasks/import', () => {
  it('answers each line in order with its id, and the batch in a header', async (t) => {
    const { post, stored, closed } = await importingApi(t)

    const response = await post(
      '{"payload":1.0}\n{"payload":"two","type":"t"}\r\n{"payload":{"b":1 , "a":2}}',
    )

    assert.equal(response.statusCode, 200)
    assert.match(String(response.headers['content-type']), /^application\/x-ndjson/)
    assert.equal(response.headers['millrace-batch-id'], 'the-batch')
    assert.deepEqual(answersIn(response.body), [
      { line: 1, id: '1.0' },
      { line: 2, id: 'two' },
      { line: 3, id: '{b:1 , a:2}' },
    ])
    assert.deepEqual(
      stored.map(({ type }) => type),
      ['default', 't', 'default'],
    )
    assert.equal(closed(), 1)
  })

  it('reports a bad line, and stores the others', async (t) => {
    const { post, stored } = await importingApi(t)
    const lines = ['{"payload":1}', '{"payloda":1}', '', 'nonsense', '{"payload":1}{', '[]', '{"payload":2}']

    const answers = answersIn((await post(Buffer.from(`${lines.join('\n')}\n`))).body)

    assert.deepEqual(
      answers.map(({ line, id, error }) => [line, id ?? error?.code]),
      [
        [1, '1'],
        [2, 'invalid-request'],
        [3, 'empty-body'],
        [4, 'malformed-json'],
        [5, 'malformed-json'],
        [6, 'invalid-request'],
        [7, '2'],
      ],
    )
    assert.match(String(answers[1]?.error?.detail), /./)
    assert.equal(stored.length, 2)
  })

  it('reports a line that is no UTF-8 or too long, wherever the pieces are cut', async (t) => {
    const { open, stored } = await importingApi(t)
    const sent = await open()
    const response = answered(sent)
    for (const piece of [
      Buffer.from([0xef, 0xbb, 0xbf]),
      '{"payload":1}\n"',
      Buffer.from([0xff]),
      '"\n{"payload":"é',
      '"}\n{"payload":"',
      ...Array(40).fill('x'.repeat(65_536)),
      '"}\n{"payload":3}',
    ])
      await new Promise((written) => sent.write(piece, written))
    sent.end()

    const answers = answersIn(await text(await response))

    assert.deepEqual(
      answers.map(({ line, id, error }) => [line, id ?? error?.code]),
      [
        [1, '1'],
        [2, 'invalid-utf8'],
        [3, 'é'],
        [4, 'body-too-large'],
        [5, '3'],
      ],
    )
    assert.equal(stored.length, 3)
  })

  it('answers a line while the next has not been sent', async (t) => {
    const { open } = await importingApi(t)
    const sent = await open()
    sent.flushHeaders()
    const response = await answered(sent)
    response.setEncoding('utf8')
    for (const n of [1, 2, 3]) {
      sent.write(`{"payload":${n}}\n`)
      const [answer] = await once(response, 'data')
      assert.deepEqual(JSON.parse(answer), { line: n, id: `${n}` })
    }
    sent.end()
    await once(response.resume(), 'end')
  })

  it('says of a line why it could not be stored', async (t) => {
    const { post } = await importingApi(t, async (tasks) =>
      tasks.map(({ payload }) =>
        payload === '2' ? new TaskError('idempotency-key-reused', 'it was used') : payload,
      ),
    )
    const answers = answersIn((await post('{"payload":1}\n{"payload":2}\n{"payload":3}\n')).body)
    assert.deepEqual(
      answers.map(({ id, error }) => id ?? error?.code),
      ['1', 'idempotency-key-reused', '3'],
    )
  })

  it('stores none of what was not sent whole, and no more after it', async (t) => {
    const { open, stored, closed, log } = await importingApi(t)
    const sent = await open()
    sent.on('error', () => {})
    sent.write('{"payload":1}\n{"payload":2}\n{"payload":3}')
    const response = await answered(sent)
    response.on('error', () => {})
    await once(response, 'data')
    sent.destroy()

    await until(() => closed() === 1, { what: 'the import is closed' })
    assert.deepEqual(
      stored.map(({ payload }) => payload),
      ['1', '2'],
    )
    assert.match(log.join(), /an import broke off/)
  })

  it('does not read on while answers are not taken, or while nothing is stored', async (t) => {
    const gate = Promise.withResolvers<void>()
    const { open, lots } = await importingApi(t, async (tasks) => {
      await gate.promise
      return tasks.map(() => 'id')
    })
    const sent = await open()
    const response = answered(sent)
    const line = `{"payload":"${'x'.repeat(1_000)}"}\n`
    let accepted = 0
    for (; accepted < 200_000 && sent.write(line.repeat(100)); accepted += 100);
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(accepted < 200_000, 'the sender was told to wait')

    gate.resolve()
    sent.end()
    assert.equal(answersIn(await text(await response)).length, accepted + 100)
    assert.ok(Math.max(...lots) <= 1_000)
  })

  it('breaks the connection off when the database stays away', async (t) => {
    const { open, closed } = await importingApi(t, async () => {
      throw new StoreUnavailableError(new Error('away'))
    })
    const sent = await open()
    sent.on('error', () => {})
    sent.end('{"payload":1}\n')
    await assert.rejects(text(await answered(sent)), /aborted|terminated|ECONNRESET/)
    assert.equal(closed(), 1)
  })

  it('takes nothing but lines', async (t) => {
    const { app, post } = await importingApi(t)
    for (const type of ['application/json', 'text/plain'])
      assertProblem(await post('{"payload":1}', { 'content-type': type }), 'unsupported-media-type')
    assertProblem(await app.inject({ method: 'POST', url }), 'unsupported-media-type')
    assertProblem(await post('{"payload":1}', { 'content-encoding': 'gzip' }), 'unsupported-media-type')
    assert.deepEqual(faultsOf(await post('', { 'idempotency-key': 'k' })), ['Idempotency-Key'])
    assert.equal((await post('')).body, '')
    const other = await app.inject({ method: 'POST', url: '/tasks', headers, body: '{"payload":1}' })
    assertProblem(other, 'unsupported-media-type')
  })
})
