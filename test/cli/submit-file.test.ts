import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, describe, it, type TestContext } from 'node:test'
import { type FakeMillrace, fakeMillrace } from '../client/fake-millrace.ts'
import { testFolder } from '../support/folder.ts'
import { runMillrace } from './run-millrace.ts'

let fake: FakeMillrace | undefined

beforeEach(async () => {
  await fake?.close()
  fake = await fakeMillrace()
})
after(() => fake?.close())

const submit = (t: TestContext, input: string, ...args: string[]) =>
  runMillrace(t, ['submit', '--file', '-', ...args], { url: fake!.url, input })

const lines = (count: number) => Array.from({ length: count }, (_, n) => `{"payload":${n}}`)
const batchSizes = () => fake!.requestsTo('/tasks/batch').map(({ body }) => JSON.parse(body).tasks.length)

describe('submit --file', () => {
  it('stores a task a line, in batches of 1,000 at most, and prints the ids in order', async (t) => {
    const path = join(testFolder(t), 'tasks.ndjson')
    writeFileSync(path, lines(2_500).join('\n'))
    const run = await runMillrace(t, ['submit', '--file', path], { url: fake!.url })
    assert.deepEqual(batchSizes(), [1000, 1000, 500])
    const printed = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      printed.map(({ id }) => id),
      [...fake!.tasks.keys()],
    )
    assert.deepEqual(printed[2_499], { line: 2_500, id: printed[2_499].id })
    assert.match(run.stderr, /2,500 tasks stored\n$/)
    assert.equal(run.code, 0)
  })

  it('sends lines as they are: numbers keep their digits', async (t) => {
    await submit(t, '{"payload":{"n":12345678901234567890,"f":1.0}}\r\n')
    assert.equal(
      fake!.requestsTo('/tasks/batch')[0]!.body,
      '{"tasks":[{"payload":{"n":12345678901234567890,"f":1.0}}]}',
    )
  })

  it('names bad lines by number, stores the others, and exits with 1', async (t) => {
    const input = ['{"payload":1}', '{"payload":', '', '[1]', '{"type":"x"}', '{"payload":2}'].join('\n')
    const run = await submit(t, input, '-o', 'ids')
    assert.match(
      run.stderr,
      /line 2: no JSON: .*\nline 4: no object.*\nline 5: payload is missing\n(submitting: .*\n)*2 tasks stored, 3 bad lines left out/,
    )
    assert.equal(fake!.tasks.size, 2)
    assert.equal(run.stdout.trim().split('\n').length, 2)
    assert.equal(run.code, 1)
  })

  it('leaves out what the server refuses, and stores the rest of the batch', async (t) => {
    const pointers =
      '{"errors":[{"pointer":"#/tasks/1/type","detail":"is no name"}],"detail":"no","code":"invalid-request"}'
    fake!.faults.push({ status: 422, body: pointers })
    const run = await submit(t, lines(3).join('\n'))
    assert.match(run.stderr, /line 2: type: is no name\n/)
    assert.match(run.stderr, /2 tasks stored, 1 bad line left out/)
    assert.deepEqual(batchSizes(), [3, 2])
    assert.equal(run.code, 1)
  })

  it('counts bad lines beyond the first twenty without naming them', async (t) => {
    const run = await submit(t, Array(30).fill('x').join('\n'))
    assert.equal(run.stderr.match(/^line \d+:/gm)?.length, 20)
    assert.match(run.stderr, /0 tasks stored, 30 bad lines left out/)
  })

  it('fills the gaps of lines with its options', async (t) => {
    await submit(t, '{"payload":1}\n{"payload":2,"type":"own"}', '--type', 'given', '--delay', '1m')
    const { tasks } = JSON.parse(fake!.requestsTo('/tasks/batch')[0]!.body)
    assert.deepEqual(tasks, [
      { type: 'given', delayMs: 60_000, payload: 1 },
      { type: 'own', delayMs: 60_000, payload: 2 },
    ])
  })

  it('says which lines are in doubt when the connection breaks, and stops', async (t) => {
    fake!.faults.push({ status: 201, body: JSON.stringify({ ids: lines(1_000) }) }, 'lose')
    const run = await submit(t, lines(3_000).join('\n'))
    assert.equal(run.code, 7)
    assert.match(run.stderr, /Lines 1001 to 2000 may be stored or not/)
    assert.match(run.stderr, /1,000 tasks stored/)
    assert.deepEqual(batchSizes(), [1000, 1000])
  })

  it('refuses what makes sense for one task only, and files that are none', async (t) => {
    for (const args of [['--key', 'k'], ['--wait'], ['--string'], ['1']]) {
      assert.equal((await submit(t, '', ...args)).code, 2)
    }
    const missing = await runMillrace(t, ['submit', '--file', '/no/such/file'], { url: fake!.url })
    assert.match(missing.stderr, /\/no\/such\/file cannot be read/)
    assert.equal(missing.code, 1)
  })
})
