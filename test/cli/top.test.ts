import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compact, topFrame } from '../../src/cli/top-frame.ts'
import type { Stats, WorkerInfo } from '../../src/client/index.ts'
import { fakeMillrace } from '../client/fake-millrace.ts'
import { runMillrace } from './run-millrace.ts'
import { noTerminal, onTerminal } from './terminal.ts'

const counts = {
  scheduled: 12_345_678,
  pending: 9_876_543_210,
  processing: 99_999,
  completed: 123_456_789_012,
  failed: 5,
  canceled: 0,
}
const queue = (name: string): Stats['queues'][number] => ({
  queue: name,
  counts,
  oldestPendingAgeMs: 400_000_000,
  workers: 3,
  slots: 120_000,
  ...{ submittedPerSecond: 0, endedPerSecond: 0, drainsInMs: null },
})
const worker = (pid: number): WorkerInfo => ({
  id: 'w',
  host: 'a-host-with-a-rather-long-name.example.com',
  pid,
  version: '1',
  queues: ['default', 'mail', 'a-queue-with-a-long-name'],
  types: [],
  concurrency: 1_000_000,
  running: 999_999,
  startedAt: new Date().toISOString(),
  lastSeenAt: new Date().toISOString(),
})
const stats = (queues: number): Stats => ({
  total: 1,
  counts,
  queues: Array.from({ length: queues }, (_, n) => queue(`queue-${n}-${'x'.repeat(60)}`)),
  types: [],
  unserved: ['nobody\u001b[2J'],
  rates: {
    windowMs: 60_000,
    submittedPerSecond: 123_456.7,
    completedPerSecond: 99_999.9,
    failedPerSecond: 0,
    canceledPerSecond: 12_000,
  },
  oldestPendingAgeMs: 400_000_000,
})

describe('the picture of top', () => {
  for (const [queues, workers] of [
    [0, 0],
    [1, 1],
    [3, 40],
    [40, 3],
    [40, 40],
  ] as const) {
    it(`fits 80 columns and 24 rows with ${queues} queues and ${workers} workers`, () => {
      const look = {
        stats: stats(queues),
        workers: Array.from({ length: workers }, (_, n) => worker(n)),
        at: new Date(),
      }
      const lines = topFrame(look, { columns: 80, rows: 24 })
      assert.ok(lines.length <= 24)
      assert.deepEqual(
        lines.filter((line) => line.length > 80 || /[\u0000-\u001f]/.test(line)),
        [],
      )
      if (queues > 0) assert.match(lines.join('\n'), /QUEUE +PENDING +RUNNING/)
      if (workers > 0) assert.match(lines.join('\n'), /WORKER +QUEUES +BUSY/)
      if (queues === 40) assert.match(lines.join('\n'), /and \d+ more queues/)
    })
  }

  it('has room for one line on a tiny screen', () => {
    assert.equal(
      topFrame({ stats: stats(3), workers: [], at: new Date() }, { columns: 10, rows: 1 }).length,
      1,
    )
  })

  it('has numbers of five characters at most', () => {
    const shown = [0, 99_999, 100_000, 1_234_567, 12_345_678, 999_999_999, 9_876_543_210].map(compact)
    assert.deepEqual(shown, ['0', '99999', '100k', '1.2M', '12M', '999M', '9.9G'])
  })
})

describe('top', () => {
  it('prints once when piped', async (t) => {
    const fake = await fakeMillrace()
    t.after(() => fake.close())
    fake.add({})
    const { code, stdout } = await runMillrace(t, ['top'], { url: fake.url })
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^Millrace .* UTC\n[\s\S]*wait +1 pending[\s\S]*\ndefault +1 [\s\S]*here:7 +default +2\/1000/,
    )
  })

  it('draws again on a terminal, outlives the server, and q quits', { skip: noTerminal }, async (t) => {
    const fake = await fakeMillrace()
    t.after(() => fake.close())
    fake.add({})
    const terminal = onTerminal(t, ['top', '--interval', '100ms'], fake.url)
    await terminal.shows(/1 pending/)
    fake.add({})
    await terminal.shows(/2 pending/)
    await fake.close()
    await terminal.shows(/s old: no answer/)
    terminal.type('q')
    assert.equal(await terminal.exitCode(), 0)
    assert.match(terminal.output(), /\u001b\[\?1049h[\s\S]*\u001b\[\?1049l$/)
  })
})
