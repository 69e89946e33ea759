import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type FakeMillrace, fakeMillrace } from '../client/fake-millrace.ts'
import { runMillrace } from './run-millrace.ts'
import { noTerminal, onTerminal } from './terminal.ts'

async function fakeWith(t: TestContext, tasks: Record<string, number>): Promise<FakeMillrace> {
  const fake = await fakeMillrace()
  t.after(() => fake.close())
  for (const [status, count] of Object.entries(tasks))
    for (let n = 0; n < count; n++) fake.add({ status: JSON.stringify(status) })
  return fake
}

function countsOf({ tasks }: FakeMillrace): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of tasks.values())
    counts[JSON.parse(status!)] = (counts[JSON.parse(status!)] ?? 0) + 1
  return counts
}

describe('cancel and retry by filter', { concurrency: 3 }, () => {
  it('do it to all that fit, page after page, and leave the others', async (t) => {
    const fake = await fakeWith(t, { pending: 450, completed: 3, failed: 2 })
    const run = await runMillrace(t, ['cancel', '--all', '--yes', '-o', 'ids'], { url: fake.url })
    assert.equal(run.code, 0, run.stderr)
    assert.equal(run.stdout.trim().split('\n').length, 450)
    assert.match(run.stderr, /450 tasks canceled/)
    assert.deepEqual(countsOf(fake), { canceled: 450, completed: 3, failed: 2 })
  })

  it('send the filter that was given', async (t) => {
    const fake = await fakeWith(t, { failed: 2, canceled: 1 })
    const filter = [
      '--status',
      'failed',
      '--type',
      'a',
      '--queue',
      'q',
      '--created-after',
      '2030-01-01T00:00:00Z',
    ]
    const run = await runMillrace(t, ['retry', ...filter, '--yes'], { url: fake.url })
    assert.match(run.stderr, /2 tasks retried/)
    assert.deepEqual(Object.fromEntries(fake.seen[0]!.query), {
      status: 'failed',
      type: 'a',
      queue: 'q',
      createdAfter: '2030-01-01T00:00:00Z',
      limit: '200',
    })
  })

  it('ask first, and tell how many', { skip: noTerminal }, async (t) => {
    const fake = await fakeWith(t, { pending: 3 })
    const no = onTerminal(t, ['cancel', '--all'], fake.url)
    await no.shows(/Cancel 3 tasks\? \[y\/N\]/)
    no.type('n\n')
    assert.equal(await no.exitCode(), 1)
    assert.deepEqual(countsOf(fake), { pending: 3 })
    const yes = onTerminal(t, ['cancel', '--all'], fake.url)
    await yes.shows(/Cancel 3 tasks\?/)
    yes.type('y\n')
    assert.equal(await yes.exitCode(), 0)
    assert.match(yes.output(), /3 tasks canceled/)
    assert.deepEqual(countsOf(fake), { canceled: 3 })
  })

  it('go on where a search ended before its page was full', async (t) => {
    const fake = await fakeWith(t, { pending: 2 })
    const [id] = [...fake.tasks.keys()]
    fake.faults.push({ status: 200, body: `{"data":[],"page":{"next":"~","searchedTo":"${id}"}}` })
    const run = await runMillrace(t, ['cancel', '--type', 'n', '--yes'], { url: fake.url })
    assert.match(run.stderr, /2 tasks canceled/)
  })

  it('count what has moved on meanwhile, which is no error', async (t) => {
    const fake = await fakeWith(t, { pending: 2, completed: 1 })
    // As if it had been pending when it was looked for.
    const done = [...fake.tasks.keys()].at(-1)!
    const ids = [...fake.tasks.keys()].map((id) => `{"id":"${id}"}`)
    fake.faults.push({ status: 200, body: `{"data":[${ids}],"page":{"next":null}}` })
    const run = await runMillrace(t, ['cancel', '--all', '--yes'], { url: fake.url })
    assert.equal(run.code, 0)
    assert.match(run.stderr, /2 tasks canceled, 1 task had moved on/)
    assert.equal(fake.tasks.get(done)!.status, '"completed"')
  })

  const refusals: [string, string[], RegExp][] = [
    [
      'a filter without a terminal and without --yes',
      ['cancel', '--all'],
      /--yes says that all of them are meant/,
    ],
    ['neither ids nor a filter', ['retry'], /give ids, a filter or --all/],
    ['both', ['cancel', 'x', '--type', 'y', '--yes'], /exclude each other/],
    ['a status that cannot be', ['retry', '--status', 'pending', '--yes'], /pending cannot be retried/],
  ]
  for (const [what, args, words] of refusals) {
    it(`refuse ${what}`, async (t) => {
      const fake = await fakeWith(t, { pending: 1, failed: 1 })
      const run = await runMillrace(t, args, { url: fake.url })
      assert.equal(run.code, 2)
      assert.match(run.stderr, words)
      assert.equal(fake.seen.length, 0)
    })
  }

  it('say so when nothing fits', async (t) => {
    const fake = await fakeWith(t, { completed: 1 })
    const run = await runMillrace(t, ['cancel', '--all', '--yes'], { url: fake.url })
    assert.deepEqual([run.code, run.stdout, run.stderr], [0, '', 'No task fits.\n'])
  })
})
