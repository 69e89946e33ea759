import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreRefusedError, StoreUnavailableError, TaskError } from '../../src/domain/errors.ts'
import { limits } from '../../src/domain/submission.ts'
import { apiWith, recordingApi, taskOf } from './api-under-test.ts'
import { assertProblem, faultsOf } from './problem-check.ts'

const json = { 'content-type': 'application/json' }

describe('POST /tasks', () => {
  it('answers 201 with the place of the task and the task', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const response = await post(
      '{"payload":{"to":"a@b.c"},"type":"email.send","queue":"mail","priority":"high"}',
    )

    assert.equal(response.statusCode, 201)
    const task = response.json()
    assert.equal(response.headers.location, `/tasks/${task.id}`)
    assert.match(String(response.headers['content-type']), /^application\/json/)
    assert.deepEqual(
      Object.keys(task),
      'id type queue key status priority payload result error attempt maxAttempts batchId idempotencyKey createdAt runAt startedAt finishedAt workerId'.split(
        ' ',
      ),
    )
    assert.deepEqual(submissions, [
      { payload: '{"to":"a@b.c"}', type: 'email.send', queue: 'mail', priority: 'high', due: 'now' },
    ])
  })

  it('fills in type, queue and priority, and leaves attempts to the handler', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const response = await post('{"payload":null}')
    assert.equal(response.json().maxAttempts, 3)
    assert.deepEqual(submissions, [
      { payload: 'null', type: 'default', queue: 'default', priority: 'normal', due: 'now' },
    ])
  })

  it('hands on every field', async (t) => {
    const { post, submissions } = await recordingApi(t)
    await post('{"payload":1,"delayMs":1.5e3,"maxAttempts":1.0,"timeoutMs":9,"idempotencyKey":"k 1 é 😀"}')
    await post('{"payload":1,"runAt":"2030-01-31T10:00:00.1239+01:00"}')
    await post('{"payload":1,"delayMs":0}')
    assert.deepEqual(submissions[0], {
      payload: '1',
      type: 'default',
      queue: 'default',
      priority: 'normal',
      due: { afterMs: 1500 },
      maxAttempts: 1,
      timeoutMs: 9,
      idempotencyKey: 'k 1 é 😀',
    })
    assert.deepEqual(submissions[1]?.due, { at: '2030-01-31T09:00:00.123Z' })
    assert.equal(submissions[2]?.due, 'now')
  })

  const exactPayloads = [
    '1e400',
    '12345678901234567890',
    '9007199254740993',
    '1.0',
    '-0.0E+1',
    '"\\u0000"',
    '"\\ud800 lone"',
    '{"z":1, "a" :\n2,"z":3}',
    '{"__proto__":{"x":1},"constructor":null}',
    '"é😀\u2028"',
    '[ ]',
    'null',
  ]
  for (const payload of exactPayloads) {
    it(`takes and gives ${JSON.stringify(payload)} byte for byte`, async (t) => {
      const { post, submissions } = await recordingApi(t)
      const response = await post(`{"type":"x","p\\u0061yload":  ${payload}\n }`)
      assert.equal(response.statusCode, 201)
      assert.equal(submissions[0]?.payload, payload)
      assert.ok(response.body.includes(`"payload":${payload},"result"`))
    })
  }

  it('answers 200 and says so when the idempotency key has the task already', async (t) => {
    const { app } = await apiWith(t, {
      submitTask: async (submission) => ({
        task: taskOf(submission, { status: 'completed' }),
        replayed: true,
      }),
    })
    const headers = { ...json, 'idempotency-key': 'order-1' }
    const response = await app.inject({ method: 'POST', url: '/tasks', headers, body: '{"payload":1}' })
    assert.equal(response.statusCode, 200)
    assert.equal(response.headers['idempotent-replayed'], 'true')
    assert.equal(response.headers.location, undefined)
    assert.equal(response.json().idempotencyKey, 'order-1')
  })

  it('answers 422 when the key belongs to a different submission', async (t) => {
    const { app } = await apiWith(t, {
      submitTask: async () => {
        throw new TaskError('idempotency-key-reused', 'the key order-1 has another body')
      },
    })
    const response = await app.inject({ method: 'POST', url: '/tasks', headers: json, body: '{"payload":1}' })
    assertProblem(response, 'idempotency-key-reused')
  })

  it('reads the key from the header as UTF-8, and refuses two different ones', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const utf8 = Buffer.from('schlüssel').toString('latin1')
    assert.equal((await post('{"payload":1}', { 'idempotency-key': utf8 })).statusCode, 201)
    assert.equal(submissions[0]?.idempotencyKey, 'schlüssel')
    assert.equal(
      (await post('{"payload":1,"idempotencyKey":"a"}', { 'idempotency-key': 'a' })).statusCode,
      201,
    )

    const differing = await post('{"payload":1,"idempotencyKey":"a"}', { 'idempotency-key': 'b' })
    assert.deepEqual(faultsOf(differing), ['Idempotency-Key'])
    for (const bad of ['', 'k'.repeat(256), Buffer.from([0xfc]).toString('latin1')])
      assert.deepEqual(faultsOf(await post('{"payload":1}', { 'idempotency-key': bad })), ['Idempotency-Key'])
  })

  const invalid: [body: string, ...pointers: string[]][] = [
    ['{}', '#/payload'],
    ['{"type":"a"}', '#/payload'],
    ['{"payload":1,"type":""}', '#/type'],
    ['{"payload":1,"type":null}', '#/type'],
    ['{"payload":1,"type":7}', '#/type'],
    ['{"payload":1,"type":["a"]}', '#/type'],
    ['{"payload":1,"type":"a b"}', '#/type'],
    ['{"payload":1,"type":"a\\n"}', '#/type'],
    ['{"payload":1,"type":"a\\u0000"}', '#/type'],
    [`{"payload":1,"type":"${'a'.repeat(129)}"}`, '#/type'],
    ['{"payload":1,"queue":"ü"}', '#/queue'],
    ['{"payload":1,"priority":"urgent"}', '#/priority'],
    ['{"payload":1,"priority":1}', '#/priority'],
    ['{"payload":1,"maxAttempts":0}', '#/maxAttempts'],
    ['{"payload":1,"maxAttempts":101}', '#/maxAttempts'],
    ['{"payload":1,"maxAttempts":1.5}', '#/maxAttempts'],
    ['{"payload":1,"maxAttempts":"3"}', '#/maxAttempts'],
    ['{"payload":1,"maxAttempts":1e400}', '#/maxAttempts'],
    ['{"payload":1,"timeoutMs":0}', '#/timeoutMs'],
    ['{"payload":1,"timeoutMs":9007199254740993}', '#/timeoutMs'],
    ['{"payload":1,"delayMs":-1}', '#/delayMs'],
    ['{"payload":1,"delayMs":315360000001}', '#/delayMs'],
    ['{"payload":1,"delayMs":9007199254740993}', '#/delayMs'],
    ['{"payload":1,"delayMs":1,"runAt":"2030-01-01T00:00:00Z"}', '#/runAt'],
    ['{"payload":1,"runAt":"2030-01-01"}', '#/runAt'],
    ['{"payload":1,"runAt":"2030-01-01T00:00:00"}', '#/runAt'],
    ['{"payload":1,"runAt":"2030-02-30T00:00:00Z"}', '#/runAt'],
    ['{"payload":1,"runAt":"2030-13-01T00:00:00Z"}', '#/runAt'],
    ['{"payload":1,"runAt":"2030-01-01T24:00:00Z"}', '#/runAt'],
    ['{"payload":1,"runAt":"2101-01-01T00:00:00Z"}', '#/runAt'],
    ['{"payload":1,"runAt":1893456000000}', '#/runAt'],
    ['{"payload":1,"idempotencyKey":""}', '#/idempotencyKey'],
    ['{"payload":1,"idempotencyKey":"a\\u0000"}', '#/idempotencyKey'],
    ['{"payload":1,"idempotencyKey":"\\ud800"}', '#/idempotencyKey'],
    [`{"payload":1,"idempotencyKey":"${'k'.repeat(256)}"}`, '#/idempotencyKey'],
    ['{"payload":1,"payload":1}', '#/payload'],
    ['{"payload":1,"p\\u0061yload":2}', '#/payload'],
    ['{"payload":1,"type":"a","type":"a"}', '#/type'],
    ['{"payload":1,"__proto__":{"type":"x"}}', '#/__proto__'],
    ['{"payload":1,"constructor":1}', '#/constructor'],
    ['{"payload":1,"a/b~":1}', '#/a~1b~0'],
    ['{"payload":1,"id":"x","status":"completed"}', '#/id', '#/status'],
    ['{"type":1,"queue":2,"priority":3}', '#/type', '#/queue', '#/priority', '#/payload'],
    ['[]', '#'],
    ['7', '#'],
    ['"text"', '#'],
    ['null', '#'],
    [`{"payload":${'['.repeat(101)}${']'.repeat(101)}}`, '#/payload'],
    [`{"payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, '#/payload'],
    [`{"payload":${'['.repeat(100_000)}`, '#/payload'],
    [`{"payload":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, '#/payload'],
    ['['.repeat(100_000), '#'],
  ]
  for (const [body, ...pointers] of invalid) {
    it(`refuses ${body.length > 70 ? `${body.slice(0, 60)}… (${body.length} characters)` : body}`, async (t) => {
      const { post, submissions } = await recordingApi(t)
      assert.deepEqual(faultsOf(await post(body)), pointers)
      assert.deepEqual(submissions, [])
    })
  }

  const suggestions: [field: string, meant: string][] = [
    ['payloda', 'payload'],
    ['Payload', 'payload'],
    ['max_attempts', 'maxAttempts'],
    ['priorty', 'priority'],
    ['idempotency-key', 'idempotencyKey'],
    ['delay', 'delayMs'],
  ]
  for (const [field, meant] of suggestions) {
    it(`asks whether ${field} meant ${meant}`, async (t) => {
      const { post } = await recordingApi(t)
      const body = assertProblem(await post(`{"payload":1,"${field}":1}`), 'invalid-request')
      assert.match(body.errors?.[0]?.detail ?? '', new RegExp(`did you mean '${meant}'\\?`))
    })
  }

  it('suggests nothing for a field that is like none', async (t) => {
    const { post } = await recordingApi(t)
    const body = assertProblem(await post('{"payload":1,"zzz":1}'), 'invalid-request')
    assert.doesNotMatch(body.detail, /did you mean/)
  })

  const malformed = [
    '{',
    '{"payload":}',
    '{"payload":1,}',
    "{'payload':1}",
    '{"payload":1} x',
    '{"payload":01}',
    ' ',
  ]
  for (const body of [
    ...malformed,
    '{"payload":NaN}',
    '{"payload":"a\u0000"}',
    '{"payload":"\\x"}',
    '\ufeff\ufeff{}',
  ])
    it(`says where ${JSON.stringify(body)} is malformed`, async (t) => {
      const { post } = await recordingApi(t)
      assertProblem(await post(body), 'malformed-json')
    })

  it('ignores a byte order mark', async (t) => {
    const { post } = await recordingApi(t)
    assert.equal((await post('\ufeff{"payload":1}')).statusCode, 201)
  })

  it('refuses bytes that are not UTF-8', async (t) => {
    const { post } = await recordingApi(t)
    const parts = (bytes: number[]) =>
      Buffer.concat([Buffer.from('{"payload":"'), Buffer.from(bytes), Buffer.from('"}')])
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]])
      assertProblem(await post(parts(bytes)), 'invalid-utf8')
    assert.equal((await post(parts([0xc3, 0xa9]))).statusCode, 201)
  })

  it('takes a payload of exactly 1 MiB and no byte more', async (t) => {
    const { post, submissions } = await recordingApi(t)
    const ascii = (bytes: number) => `"${'a'.repeat(bytes - 2)}"`
    assert.equal((await post(`{"payload":  ${ascii(limits.payloadBytes)} }`)).statusCode, 201)
    assert.equal((await post(`{"payload":${ascii(limits.payloadBytes - 1)}}`)).statusCode, 201)
    assertProblem(await post(`{"payload":${ascii(limits.payloadBytes + 1)}}`), 'payload-too-large')
    // Of two bytes each: half as many characters.
    const accents = (bytes: number) => `"${'é'.repeat((bytes - 2) / 2)}"`
    assert.equal((await post(`{"payload":${accents(limits.payloadBytes)}}`)).statusCode, 201)
    assertProblem(await post(`{"payload":${accents(limits.payloadBytes + 2)}}`), 'payload-too-large')
    assert.equal(submissions.length, 3)
    assertProblem(await post(`{"payload":${ascii(limits.payloadBytes + 100_000)}}`), 'body-too-large')
  })

  it('refuses other content types and encodings', async (t) => {
    const { post } = await recordingApi(t)
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'nonsense',
      'application/jsonx',
    ]
    for (const type of [...types, 'application/json; charset=latin1', 'multipart/form-data; boundary=x', ''])
      assertProblem(await post('{"payload":1}', { 'content-type': type }), 'unsupported-media-type')
    assertProblem(await post('{"payload":1}', { 'content-encoding': 'gzip' }), 'unsupported-media-type')
    for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])
      assert.equal((await post('{"payload":1}', { 'content-type': type })).statusCode, 201)
  })

  it('refuses an empty body and query parameters', async (t) => {
    const { app, post } = await recordingApi(t)
    assertProblem(await post(''), 'empty-body')
    assertProblem(await app.inject({ method: 'POST', url: '/tasks' }), 'empty-body')
    assert.deepEqual(faultsOf(await post('{"payload":1}', {}, '/tasks?wait=1')), ['wait'])
  })

  it('lists at most 50 faults', async (t) => {
    const { post } = await recordingApi(t)
    const members = Array.from({ length: 90 }, (_, i) => `"field${i}":1`).join()
    assert.equal(faultsOf(await post(`{${members}}`)).length, 50)
  })

  it('answers 503 with Retry-After while the database is away', async (t) => {
    const away = async () => {
      throw new StoreUnavailableError(new Error('connect ECONNREFUSED 10.1.2.3:5432'))
    }
    const { app } = await apiWith(t, { submitTask: away, submitBatch: away })
    for (const [url, body] of [
      ['/tasks', '{"payload":1}'],
      ['/tasks/batch', '{"tasks":[{"payload":1}]}'],
    ] as const) {
      const response = await app.inject({ method: 'POST', url, headers: json, body })
      assertProblem(response, 'store-unavailable')
      assert.doesNotMatch(response.body, /10\.1\.2\.3/)
    }
  })

  it('answers 422 when the database refuses a value, and keeps its words to the log', async (t) => {
    const { app, log } = await apiWith(t, {
      submitTask: async () => {
        throw new StoreRefusedError(new Error('secret table'))
      },
    })
    const response = await app.inject({ method: 'POST', url: '/tasks', headers: json, body: '{"payload":1}' })
    assertProblem(response, 'value-not-storable')
    assert.doesNotMatch(response.body, /secret/)
    assert.match(log.join(), /secret table/)
  })

  for (const [what, thrown] of [
    ['an error', new Error('secret detail')],
    [
      'an error that calls itself a 404',
      Object.assign(new Error('secret'), { statusCode: 704, code: 'secret' }),
    ],
    ['a text', 'secret text'],
    ['nothing', undefined],
  ] as const) {
    it(`answers 500 without a word of it when ${what} is thrown, and logs it`, async (t) => {
      const { app, log } = await apiWith(t, {
        submitTask: async () => {
          throw thrown
        },
      })
      const response = await app.inject({
        method: 'POST',
        url: '/tasks',
        headers: json,
        body: '{"payload":1}',
      })
      const { detail } = assertProblem(response, 'internal-error')
      assert.doesNotMatch(response.body, /secret/)
      assert.equal(log.length, 1)
      const line = JSON.parse(log[0]!)
      assert.equal(line.level, 50)
      assert.ok(detail.includes(line.requestId))
    })
  }
})
