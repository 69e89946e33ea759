import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { type FakeMillrace, fakeMillrace } from '../client/fake-millrace.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/until.ts'
import { program, runMillrace } from './run-millrace.ts'

let fake: FakeMillrace
let url: string

before(async () => {
  fake = await fakeMillrace()
  url = fake.url
})
after(() => fake.close())

const nobody = '0199f000-0000-7000-8000-ffffffffffff'
const odd = '{"n":12345678901234567890, "f":1.0,\n "e":1e400}'

describe('the exit code', { concurrency: 3 }, () => {
  const cases: [string, number, string[], RegExp][] = [
    ['an unknown command', 2, ['lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
    ['an unknown option', 2, ['list', '--statu', 'x'], /Did you mean --status\?/],
    ['no command', 2, [], /Usage: millrace/],
    ['a missing argument', 2, ['get'], /missing required argument 'id'/],
    ['an empty id', 2, ['get', ''], /id of a task is empty/],
    ['an id that the server refuses', 2, ['get', 'nonsense'], /"nonsense" is no UUID/],
    ['a duration that is none', 2, ['wait', nobody, '--timeout', 'soon'], /500ms, 30s, 5m/],
    ['an instant that is none', 2, ['list', '--created-after', 'soon'], /2030-01-31T09:00:00Z/],
    ['a payload that is broken JSON', 2, ['submit', '{"a":1'], /the payload is no JSON/],
    ['nothing to submit', 2, ['submit'], /give a payload or --file/],
    ['an address that is none', 2, ['list', '--url', 'localhost:8000'], /write one such as http/],
    ['a task that is not there', 3, ['get', nobody], /there is no task/],
    ['waiting for a task that is not there', 3, ['wait', nobody], /there is no task/],
    ['canceling a task that is not there', 3, ['cancel', nobody], /there is no task/],
  ]
  for (const [what, code, args, words] of cases) {
    it(`is ${code} for ${what}`, async (t) => {
      const run = await runMillrace(t, args, { url })
      assert.match(run.stderr, words)
      assert.deepEqual({ code: run.code, stdout: run.stdout }, { code, stdout: '' })
    })
  }

  it('is 7 where nobody answers, with what to do', async (t) => {
    const gone = `http://127.0.0.1:${await freePort()}`
    const run = await runMillrace(t, ['list'], { url: gone })
    assert.equal(run.code, 7)
    assert.match(
      run.stderr,
      new RegExp(`no answer from ${gone}.*ECONNREFUSED.*\nStart a Millrace with \`npm start\``),
    )
  })

  it('is 4 when the awaited task failed or was canceled, and the task is printed all the same', async (t) => {
    const error = '{"name":"TypeError","message":"no url","attempt":3}'
    const failed = await runMillrace(t, ['wait', fake.add({ status: '"failed"', error })], { url })
    assert.match(failed.stderr, /failed: TypeError: no url/)
    assert.match(failed.stdout, /"status":"failed"/)
    const canceled = await runMillrace(t, ['wait', fake.add({ status: '"canceled"' })], { url })
    assert.deepEqual([failed.code, canceled.code], [4, 4])
  })

  it('is 5 when the wait was too short', async (t) => {
    const run = await runMillrace(t, ['wait', fake.add({}), '--timeout', '50ms'], { url })
    assert.deepEqual([run.code, run.stdout], [5, ''])
  })

  it('is 1 when one of several tasks cannot be canceled, and the others are', async (t) => {
    const [first, done, last] = [fake.add({}), fake.add({ status: '"completed"' }), fake.add({})]
    const run = await runMillrace(t, ['cancel', first!, done!, last!, '-o', 'ids'], { url })
    assert.equal(run.code, 1)
    assert.equal(run.stdout, `${first}\n${last}\n`)
    assert.match(run.stderr, /already "completed"/)
  })

  it('is 2 for settings that cannot be used, all of which are named', async (t) => {
    const run = await runMillrace(t, ['config'], { env: { PORT: 'x', CONCURRENCY: '0' } })
    assert.equal(run.code, 2)
    assert.match(run.stderr, /PORT must[\s\S]*CONCURRENCY must/)
  })

  it('is 1 with a hint for a missing key, and for a server that is something else', async (t) => {
    const other = createServer((request, response) => {
      if (request.headers.authorization === 'Bearer k') response.end('<html>')
      else response.writeHead(401).end('{"code":"unauthorized","detail":"a key is needed"}')
    }).listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const locked = await runMillrace(t, ['stats'], { url })
    assert.match(locked.stderr, /MILLRACE_API_KEY/)
    const strange = await runMillrace(t, ['stats', '--api-key', 'k'], { url })
    assert.match(strange.stderr, /is it a Millrace\?/)
    assert.deepEqual([locked.code, strange.code], [1, 1])
  })

  it('is 130 after Ctrl-C', async () => {
    const id = fake.add({})
    const waiting = spawn(process.execPath, [program, 'wait', id], {
      env: { ...process.env, MILLRACE_URL: url },
    })
    await until(() => fake.requestsTo(`/tasks/${id}`).length > 0, { what: 'the wait' })
    const ended = once(waiting, 'exit')
    waiting.kill('SIGINT')
    assert.deepEqual(await ended, [130, null])
  })
})

describe('output', { concurrency: 3 }, () => {
  it('has the numbers of a payload as they were sent, on one line when piped', async (t) => {
    const id = fake.add({ payload: odd })
    const { stdout } = await runMillrace(t, ['get', id], { url })
    assert.ok(stdout.includes(odd.replace('\n', ' ')))
    assert.equal(stdout.split('\n').length, 2)
  })

  it('is the untouched JSON of a task with -o json', async (t) => {
    const { stdout } = await runMillrace(t, ['get', fake.add({ payload: odd }), '-o', 'json'], { url })
    assert.ok(stdout.includes(odd))
  })

  it('can be a table, in which text of strangers cannot command the terminal', async (t) => {
    const error = '{"name":"Error","message":"\\u001b[2J","attempt":1}'
    const id = fake.add({ payload: `"\u009b2J"`, type: '"image.resize"', error })
    const { stdout } = await runMillrace(t, ['get', id, '-o', 'table'], { url })
    assert.match(stdout, /^id +0199f000/)
    assert.match(stdout, /\ntype +image\.resize\n/)
    assert.doesNotMatch(stdout, /[\u001b\u009b]/)
  })

  it('of a list is rows, or ids, or one JSON array', async (t) => {
    const id = fake.add({ status: '"failed"' })
    const other = fake.add({ status: '"failed"' })
    const args = ['list', '--status', 'failed', '--limit', '2']
    const [jsonl, ids, json, table] = await Promise.all(
      ['jsonl', 'ids', 'json', 'table'].map((format) => runMillrace(t, [...args, '-o', format], { url })),
    )
    assert.deepEqual(
      jsonl!.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
      [other, id],
    )
    assert.equal(ids!.stdout, `${other}\n${id}\n`)
    assert.deepEqual(
      JSON.parse(json!.stdout).map((row: { id: string }) => row.id),
      [other, id],
    )
    assert.match(table!.stdout, new RegExp(`^ID +STATUS +TYPE .*\n${other}  failed +default`))
  })

  it('of an empty list is nothing, or an empty array', async (t) => {
    const args = ['list', '--status', 'scheduled']
    assert.equal((await runMillrace(t, args, { url })).stdout, '')
    assert.deepEqual(JSON.parse((await runMillrace(t, [...args, '-o', 'json'], { url })).stdout), [])
  })

  it('walks pages as far as --limit and --all say', async (t) => {
    const many = await fakeMillrace()
    t.after(() => many.close())
    for (let n = 0; n < 450; n++) many.add({})
    const count = async (...args: string[]) => {
      const { stdout, stderr } = await runMillrace(t, ['list', '-o', 'ids', ...args], { url: many.url })
      return { lines: stdout.trim().split('\n').length, hasMore: /There are more/.test(stderr) }
    }
    assert.deepEqual(await count(), { lines: 50, hasMore: true })
    assert.deepEqual(await count('--limit', '201'), { lines: 201, hasMore: true })
    assert.deepEqual(await count('--limit', '450'), { lines: 450, hasMore: false })
    assert.deepEqual(await count('--all'), { lines: 450, hasMore: false })
  })

  it('may be cut short by its reader', async () => {
    const list = spawn(process.execPath, [program, 'list', '--all'], {
      env: { ...process.env, MILLRACE_URL: url },
    })
    list.stdout.destroy()
    let words = ''
    list.stderr.on('data', (chunk) => {
      words += chunk
    })
    const [code] = await once(list, 'close')
    assert.deepEqual({ code, words }, { code: 0, words: '' })
  })

  it('of config says where a value came from and hides passwords', async (t) => {
    const env = { DATABASE_URL: 'postgres://u:hush@h/db', API_KEYS: 'hush' }
    const { stdout } = await runMillrace(t, ['config'], { env })
    const settings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(settings[0], {
      variable: 'DATABASE_URL',
      value: 'postgres://u:***@h/db',
      source: 'env',
      meaning: 'PostgreSQL 15 or newer',
    })
    assert.doesNotMatch(stdout, /hush/)
  })

  it('of stats and workers is what the server says, or a table', async (t) => {
    assert.equal(JSON.parse((await runMillrace(t, ['stats'], { url })).stdout).types[0].type, 'default')
    assert.match(
      (await runMillrace(t, ['stats', '-o', 'table'], { url })).stdout,
      /\nTYPE .*\ndefault .* yes\n/,
    )
    assert.equal(JSON.parse((await runMillrace(t, ['workers'], { url })).stdout).pid, 7)
    assert.match(
      (await runMillrace(t, ['workers', '-o', 'table'], { url })).stdout,
      /here:7 +default +2\/1000/,
    )
  })
})

describe('errors', () => {
  it('shows groups of failures in a table, and as they came otherwise', async (t) => {
    const table = await runMillrace(t, ['errors', '--order', 'most', '-o', 'table'], { url })
    assert.match(
      table.stdout,
      /^FINGERPRINT +TASKS +LAST SEEN +ERROR\n00112233445566aa +1,200 +2026-01-02\S+ +Error: no user 7/,
    )
    const lines = await runMillrace(t, ['errors'], { url })
    assert.equal(JSON.parse(lines.stdout).count, 1200)
    assert.equal((await runMillrace(t, ['errors', '--order', 'best'], { url })).code, 2)
  })
})

describe('queue', { concurrency: 3 }, () => {
  it('sets the limits that are given', async (t) => {
    const own = await fakeMillrace()
    t.after(() => own.close())
    const limits = ['--concurrency', '5', '--rate', '0.5', '--key-concurrency', 'none']
    const { code } = await runMillrace(t, ['queue', 'set', 'a/b', ...limits], { url: own.url })
    assert.equal(code, 0)
    const { method, body } = own.requestsTo('/queues/a%2Fb')[0]!
    assert.deepEqual(
      [method, JSON.parse(body)],
      ['PATCH', { concurrency: 5, ratePerSecond: 0.5, keyConcurrency: null }],
    )
  })

  it('pauses and resumes, and shows the queue', async (t) => {
    const paused = await runMillrace(t, ['queue', 'pause', 'mail', '-o', 'table'], { url })
    assert.match(paused.stdout, /default +3 +2 +1s +open +5 +0\.5\/s/)
    assert.equal((await runMillrace(t, ['queue', 'resume', 'mail'], { url })).code, 0)
    assert.match((await runMillrace(t, ['queues', '-o', 'table'], { url })).stdout, /^QUEUE +PENDING/)
  })

  it('is refused with 2 when it says nothing, or something else', async (t) => {
    for (const args of [
      ['set', 'mail'],
      ['pause', 'mail', '--rate', '1'],
      ['stop', 'mail'],
      ['set', 'mail', '--rate', '0'],
    ])
      assert.equal((await runMillrace(t, ['queue', ...args], { url })).code, 2, args.join(' '))
  })
})

describe('submit', { concurrency: 3 }, () => {
  const bodyOf = async (t: Parameters<typeof runMillrace>[0], args: string[], input = '') => {
    const own = await fakeMillrace()
    t.after(() => own.close())
    const run = await runMillrace(t, ['submit', ...args], { url: own.url, input })
    return { ...run, body: own.requestsTo('/tasks')[0]?.body ?? '' }
  }

  it('sends the payload as it was typed', async (t) => {
    const { body, stderr } = await bodyOf(t, [odd])
    assert.ok(body.startsWith(`{"payload":${odd},`))
    assert.equal(stderr, '')
  })

  it('sends the options as the fields that the server knows', async (t) => {
    const options = [
      '--type',
      'a.b',
      '--queue',
      'q',
      '--task-key',
      'tenant',
      '--priority',
      'high',
      '--delay',
      '1.5s',
      '--max-attempts',
      '7',
    ]
    const { body } = await bodyOf(t, ['1', ...options, '--timeout', '2m', '--key', 'k'])
    assert.deepEqual(JSON.parse(body), {
      payload: 1,
      type: 'a.b',
      queue: 'q',
      key: 'tenant',
      priority: 'high',
      delayMs: 1500,
      maxAttempts: 7,
      timeoutMs: 120_000,
      idempotencyKey: 'k',
    })
  })

  it('takes plain words for a string, and says so', async (t) => {
    const { body, stderr } = await bodyOf(t, ['hello'])
    assert.equal(JSON.parse(body).payload, 'hello')
    assert.match(stderr, /goes as the string "hello"/)
  })

  it('sends text as it is with --string, also where it looks like JSON', async (t) => {
    const { body, stderr } = await bodyOf(t, ['--string', '{"a":1'])
    assert.equal(JSON.parse(body).payload, '{"a":1')
    assert.equal(stderr, '')
  })

  it('reads the payload from stdin for -', async (t) => {
    assert.ok((await bodyOf(t, ['-'], odd)).body.includes(odd))
  })

  it('makes one task when the answer gets lost', async (t) => {
    const own = await fakeMillrace()
    t.after(() => own.close())
    own.faults.push('lose')
    const run = await runMillrace(t, ['submit', '1', '-o', 'ids'], { url: own.url })
    assert.deepEqual([run.code, run.stdout], [0, `${[...own.tasks.keys()]}\n`])
  })

  it('waits for the result with --wait', async (t) => {
    const own = await fakeMillrace({ finishes: true })
    t.after(() => own.close())
    const run = await runMillrace(t, ['submit', '"hello"', '--wait'], { url: own.url })
    assert.equal(run.code, 0)
    assert.equal(JSON.parse(run.stdout).result, 5)
  })
})
