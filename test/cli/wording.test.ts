import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { age, durationMs, instant, short } from '../../src/cli/amounts.ts'
import { lineSubmission } from '../../src/cli/submission.ts'
import { nearestRank, summaryLines } from '../../src/cli/summary.ts'
import { tableOf } from '../../src/cli/table.ts'
import type { TaskSummary } from '../../src/client/index.ts'

describe('a duration', () => {
  it('is milliseconds, or has a unit', () => {
    const given = {
      '1500': 1500,
      '1ms': 1,
      '1.5s': 1500,
      '5m': 300_000,
      '2h': 7_200_000,
      '1d': 86_400_000,
      '2 h': 7_200_000,
    }
    for (const [text, ms] of Object.entries(given)) assert.equal(durationMs(text), ms, text)
  })

  it('is nothing else', () => {
    for (const text of ['', 'soon', '-1', '1w', '1e3', '5 minutes', 's', '.5s'])
      assert.throws(() => durationMs(text), text)
  })

  it('is told in its largest whole unit', () => {
    assert.deepEqual([0, 999, 1_000, 59_999, 60_000, 86_400_000 * 3].map(short), [
      '0ms',
      '999ms',
      '1s',
      '59s',
      '1m',
      '3d',
    ])
  })
})

describe('an instant', () => {
  it('is one, or a time ago', () => {
    assert.equal(instant('2030-01-31T09:00:00Z'), '2030-01-31T09:00:00Z')
    const before = Date.now()
    const twoHoursAgo = Date.parse(instant('2h'))
    assert.ok(before - 7_200_000 <= twoHoursAgo && twoHoursAgo <= Date.now() - 7_200_000)
  })

  it('has an age', () => {
    assert.equal(age('2030-01-31T09:00:00Z', Date.parse('2030-01-31T09:05:10Z')), '5m')
    assert.equal(age('2030-01-31T09:00:00Z', Date.parse('2030-01-31T08:00:00Z')), 'now')
    assert.equal(age(null), '-')
  })
})

describe('a table', () => {
  const columns = [
    { title: 'NAME', of: ({ name }: { name?: unknown }) => name },
    { title: 'N', width: 3, align: 'right' as const, of: ({ n }: { n?: unknown }) => n },
  ]

  it('cuts names to the line, and never numbers', () => {
    const table = tableOf(columns, 20)
    assert.equal(table.row({ name: 'a-very-long-name-indeed', n: 7 }), 'a-very-long-na…    7')
    assert.equal(table.row({ name: 'x', n: 12_345 }), 'x                12345')
  })

  it('shows what is not there as a dash, and control characters as what they are', () => {
    const table = tableOf(columns, 20)
    assert.equal(table.row({ name: null, n: '' }), '-                  -')
    assert.equal(table.row({ name: 'a\u001b[2J\nb', n: 1 }), 'a\ufffd[2J b            1')
  })
})

describe('a line of a file', () => {
  it('keeps its own fields and has its gaps filled', () => {
    const fields = new Map([['type', '"given"']])
    assert.deepEqual(lineSubmission('{"payload":1.0}', fields), { text: '{"type":"given","payload":1.0}' })
    assert.deepEqual(lineSubmission('{"payload":1,"type":"own"}', fields), {
      text: '{"type":"own","payload":1}',
    })
    assert.deepEqual(lineSubmission(' {"payload":1} ', new Map()), { text: ' {"payload":1} ' })
  })
})

describe('the summary of a demonstration', () => {
  it('counts, and tells percentiles by nearest rank', () => {
    assert.deepEqual(
      [50, 95, 99, 100].map((percent) => nearestRank([1, 2, 3, 4], percent)),
      [2, 4, 4, 4],
    )
    const at = (ms: number) => new Date(ms).toISOString()
    const tasks = Array.from({ length: 4 }, (_, n) =>
      taskOf({ startedAt: at(100 * (n + 1)), finishedAt: at(3_000 + 250 * n) }),
    )
    const lines = summaryLines(tasks).join('\n')
    assert.match(lines, /tasks +4 completed/)
    assert.match(lines, /took +3\.8 s/)
    assert.match(lines, /throughput +1 tasks\/s/)
    assert.match(lines, /waiting +p50 0\.200 s {3}p95 0\.400 s/)
  })
})

function taskOf(about: Pick<TaskSummary, 'startedAt' | 'finishedAt'>): TaskSummary {
  return {
    id: '',
    type: 'default',
    key: null,
    queue: 'default',
    status: 'completed',
    priority: 'normal',
    error: null,
    attempt: 1,
    maxAttempts: 3,
    batchId: null,
    idempotencyKey: null,
    createdAt: new Date(0).toISOString(),
    runAt: new Date(0).toISOString(),
    workerId: null,
    ...about,
  }
}
