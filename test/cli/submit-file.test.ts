import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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
const sent = () => fake!.requestsTo('/tasks/import').map(({ body }) => body)

describe('submit --file', () => {
  it('imports the lines of a file, and prints the ids in order', async (t) => {
    const path = join(testFolder(t), 'tasks.ndjson')
    writeFileSync(path, lines(2_500).join('\n'))
    const run = await runMillrace(t, ['submit', '--file', path], { url: fake!.url })
    const printed = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      printed.map(({ id }) => id),
      [...fake!.tasks.keys()],
    )
    assert.deepEqual(printed[2_499], { line: 2_500, id: printed[2_499].id })
    assert.match(run.stderr, /2,500 tasks stored in batch /)
    assert.equal(run.code, 0)
  })

  it('sends lines as they are: numbers keep their digits, and bytes are left alone', async (t) => {
    const text = '{"payload":{"n":12345678901234567890,"f":1.0}}\r\n{"payload":"é\u2028"}'
    await submit(t, text)
    assert.deepEqual(sent(), [text])
  })

  it('says who it is', async (t) => {
    await submit(t, '{"payload":1}', '--api-key', 'secret')
    assert.equal(fake!.requestsTo('/tasks/import')[0]!.headers.authorization, 'Bearer secret')
  })

  it('names bad lines by number, stores the others, and exits with 1', async (t) => {
    const input = ['{"payload":1}', '{"payload":', '', '[1]', '{"payload":2}', ''].join('\n')
    const run = await submit(t, input, '-o', 'ids')
    assert.match(
      run.stderr,
      /line 2: malformed-json\nline 4: malformed-json\n2 tasks stored .*, 2 bad lines left out/,
    )
    assert.equal(fake!.tasks.size, 2)
    assert.equal(run.stdout.trim().split('\n').length, 2)
    assert.equal(run.code, 1)
  })

  it('counts bad lines beyond the first twenty without naming them', async (t) => {
    const run = await submit(t, Array(30).fill('x').join('\n'))
    assert.equal(run.stderr.match(/^line \d+:/gm)?.length, 20)
    assert.match(run.stderr, /0 tasks stored .*, 30 bad lines left out/)
  })

  it('fills the gaps of lines with its options', async (t) => {
    const input = '\ufeff{"payload":1}\n\n{"payload":2.0,"type":"own"}\nx'
    const run = await submit(t, input, '--type', 'given', '--delay', '1m')
    assert.deepEqual(sent()[0]!.split('\n'), [
      '{"type":"given","delayMs":60000,"payload":1}',
      '',
      '{"type":"own","delayMs":60000,"payload":2.0}',
      'x',
      '',
    ])
    assert.match(run.stderr, /line 4: /)
  })

  it('says what is in doubt when the connection breaks, and stops', async (t) => {
    fake!.faults.push('lose')
    const run = await submit(t, lines(3_000).join('\n'))
    assert.equal(run.code, 7)
    assert.equal(sent().length, 1)
  })

  it('says why when it is refused as a whole, and exits with 7 where there is no server', async (t) => {
    fake!.faults.push({
      status: 503,
      body: '{"code":"too-many-imports","detail":"16 imports are running here"}',
    })
    const refused = await submit(t, lines(1).join('\n'))
    assert.match(refused.stderr, /16 imports are running here/)
    assert.equal(refused.code, 1)
    const nobody = await runMillrace(t, ['submit', '--file', '-'], { url: 'http://127.0.0.1:9', input: '{}' })
    assert.equal(nobody.code, 7)
  })

  it('tells of an answer that breaks off, after what it has answered', async (t) => {
    const path = join(testFolder(t), 'tasks.ndjson')
    writeFileSync(path, lines(3).join('\n'))
    const server = createServer((request, response) => {
      response.write('{"line":1,"id":"a"}\n')
      request.on('end', () => response.destroy()).resume()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const run = await runMillrace(t, ['submit', '--file', path, '-o', 'ids'], { url })
    assert.equal(run.code, 7)
    assert.equal(run.stdout, 'a\n')
    assert.match(run.stderr, /Lines after 1 may be stored or not.*\n1 task stored/)
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
