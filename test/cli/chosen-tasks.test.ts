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

function bulkAction(change: object): string {
  const numbers = { matched: 3, done: 0, skipped: 0 }
  return JSON.stringify({ id: 'b', action: 'cancel', filter: {}, error: null, ...numbers, ...change })
}

describe('cancel, retry and delete by filter', { concurrency: 3 }, () => {
  it('do it to all that fit, and leave the others', async (t) => {
    const fake = await fakeWith(t, { pending: 450, completed: 3, failed: 2 })
    const run = await runMillrace(t, ['cancel', '--all', '--yes', '-o', 'json'], { url: fake.url })
    assert.equal(run.code, 0, run.stderr)
    const { status, matched, done } = JSON.parse(run.stdout)
    assert.deepEqual([status, matched, done], ['done', 450, 450])
    assert.match(run.stderr, /450 tasks canceled/)
    assert.deepEqual(countsOf(fake), { canceled: 450, completed: 3, failed: 2 })
  })

  it('send the filter that was given', async (t) => {
    const fake = await fakeWith(t, { failed: 2, canceled: 1 })
    const filter = [
      '--status',
      'failed',
      '--type',
      'a.*',
      '--queue',
      'q',
      '--age',
      '<1h',
      '--fingerprint',
      'f',
    ]
    const after = ['--created-after', '2030-01-01T00:00:00Z', '--key', 'k']
    const run = await runMillrace(t, ['retry', ...filter, ...after, '--yes'], { url: fake.url })
    assert.match(run.stderr, /2 tasks retried/)
    assert.deepEqual(JSON.parse(fake.seen[0]!.body), {
      action: 'retry',
      filter: {
        ...{ status: 'failed', type: 'a.*', queue: 'q', age: '<1h', fingerprint: 'f', key: 'k' },
        createdAfter: '2030-01-01T00:00:00Z',
      },
      start: false,
    })
  })

  it('delete what has ended, by filter or by id', async (t) => {
    const fake = await fakeWith(t, { completed: 3, pending: 1 })
    const [id] = [...fake.tasks.keys()]
    const one = await runMillrace(t, ['delete', id!, '--yes'], { url: fake.url })
    assert.match(one.stderr, /1 task deleted/)
    const rest = await runMillrace(t, ['delete', '--status', 'completed', '--yes'], { url: fake.url })
    assert.match(rest.stderr, /2 tasks deleted/)
    assert.deepEqual(countsOf(fake), { pending: 1 })
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

  it('count what has moved on meanwhile, which is no error', async (t) => {
    const fake = await fakeWith(t, { pending: 3 })
    fake.faults.push({ status: 201, body: bulkAction({ status: 'ready' }) })
    fake.faults.push({ status: 200, body: bulkAction({ status: 'done', done: 2, skipped: 1 }) })
    const { code, stderr } = await runMillrace(t, ['cancel', '--all', '--yes'], { url: fake.url })
    assert.equal(code, 0)
    assert.match(stderr, /2 tasks canceled, 1 task had moved on/)
  })

  it('say so when somebody else has aborted it, with exit code 1', async (t) => {
    const fake = await fakeWith(t, { pending: 3 })
    fake.faults.push({ status: 201, body: bulkAction({ status: 'ready' }) })
    fake.faults.push({ status: 200, body: bulkAction({ status: 'running' }) })
    fake.faults.push({ status: 200, body: bulkAction({ status: 'aborted', done: 1 }) })
    const { code, stderr } = await runMillrace(t, ['cancel', '--all', '--yes'], { url: fake.url })
    assert.equal(code, 1)
    assert.match(stderr, /1 task canceled, 2 tasks left as they were\nIt was aborted\./)
  })

  const refusals: [string, string[], RegExp][] = [
    [
      'a filter without a terminal and without --yes',
      ['cancel', '--all'],
      /--yes says that all of them are meant/,
    ],
    ['neither ids nor a filter', ['retry'], /give ids, a filter or --all/],
    ['both', ['cancel', 'x', '--type', 'y', '--yes'], /exclude each other/],
    ['to delete without asking', ['delete', 'x'], /--yes says that all of them are meant/],
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
