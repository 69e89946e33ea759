import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { curlText, shellWord } from '../../../dashboard/src/pages/task/shell-text.ts'
import { ticksOf, waterfallOf } from '../../../dashboard/src/pages/task/waterfall.ts'
import type { Timeline } from '../../../src/client/index.ts'

const at = (ms: number) => new Date(Date.parse('2030-01-31T09:00:00.000Z') + ms).toISOString()
const quiet = { attempt: null, workerId: null, outcome: null, error: null }

describe('the waterfall of a task', () => {
  it('has everything that happened on one axis', () => {
    const timeline: Timeline = {
      taskId: 'x',
      now: at(60_000),
      spans: [
        { kind: 'waiting', from: at(0), to: at(1_000), ...quiet },
        { kind: 'attempt', from: at(1_000), to: at(3_000), ...quiet, attempt: 1, outcome: 'failed' },
        { kind: 'backoff', from: at(3_000), to: at(8_000), ...quiet },
        { kind: 'attempt', from: at(8_000), to: at(10_000), ...quiet, attempt: 2, outcome: 'completed' },
      ],
      marks: [
        { kind: 'submitted', at: at(0) },
        { kind: 'completed', at: at(10_000) },
      ],
    }
    const { bars, moments, totalMs, now } = waterfallOf(timeline, String)
    assert.equal(totalMs, 10_000)
    assert.equal(now, undefined)
    assert.deepEqual(
      bars.map(({ label, from, to, lengthMs }) => [label, from, to, lengthMs]),
      [
        ['Waiting', 0, 0.1, 1_000],
        ['Attempt 1', 0.1, 0.3, 2_000],
        ['Back-off', 0.3, 0.8, 5_000],
        ['Attempt 2', 0.8, 1, 2_000],
      ],
    )
    assert.deepEqual(
      moments.map(({ kind, at }) => [kind, at]),
      [
        ['submitted', 0],
        ['completed', 1],
      ],
    )
  })

  it('goes on to now, or to when the task is due', () => {
    const spans: Timeline['spans'] = [{ kind: 'waiting', from: at(0), to: null, ...quiet }]
    const submitted = { kind: 'submitted', at: at(0) } as const
    const waiting = waterfallOf({ taskId: 'x', now: at(500), spans, marks: [submitted] }, String)
    assert.deepEqual([waiting.totalMs, waiting.now, waiting.bars[0]?.isOpen], [500, 1, true])
    const due = { kind: 'due', at: at(1_000) } as const
    const later = waterfallOf({ taskId: 'x', now: at(500), spans, marks: [submitted, due] }, String)
    assert.deepEqual([later.totalMs, later.now, later.bars[0]?.to], [1_000, 0.5, 0.5])
  })

  it('keeps to its axis whatever the clocks said', () => {
    const ms = fc.integer({ min: -1e9, max: 1e12 })
    fc.assert(
      fc.property(fc.array(fc.tuple(ms, fc.option(ms))), ms, (pairs, now) => {
        const spans = pairs.map(([from, to]) => ({
          kind: 'attempt' as const,
          from: at(from),
          to: to === null ? null : at(to),
          ...quiet,
        }))
        const { bars, ticks } = waterfallOf({ taskId: 'x', now: at(now), spans, marks: [] }, String)
        for (const { from, to, lengthMs } of bars)
          assert.ok(from >= 0 && from <= 1 && to >= 0 && to <= 1 && lengthMs >= 0)
        assert.ok(ticks.length >= 1 && ticks.length <= 8)
      }),
    )
  })

  it('has few ticks at round times', () => {
    assert.deepEqual(
      ticksOf(10_000, String).map(({ label }) => label),
      ['0', '2000', '4000', '6000', '8000', '10000'],
    )
    assert.deepEqual(
      ticksOf(7_200_000, String).map(({ at }) => at),
      [0, 0.25, 0.5, 0.75, 1],
    )
  })
})

describe('a task as curl', () => {
  it('is one word of a shell, whatever is in it', () => {
    const texts = fc.sample(
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
      300,
    )
    const attacks = ["'; touch /tmp/x; '", '$(id)', '`id`', '!!', '-n', '@/etc/passwd', "\\'", '\n', '']
    const words = [...attacks, ...texts]
    const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
    const out = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
    assert.deepEqual(out.split('\0').slice(0, -1), words)
  })

  it('sends the payload as it was written, long ones through the input', () => {
    const body = '{"type":"a","payload":[1.0,"it\'s"]}'
    assert.equal(
      curlText('http://127.0.0.1:8000', body, false),
      `curl http://127.0.0.1:8000/tasks \\\n  -H 'content-type: application/json' \\\n  --data-raw '{"type":"a","payload":[1.0,"it'\\''s"]}'`,
    )
    const long = `{"payload":"END ${'x'.repeat(200_000)}"}`
    const command = curlText('http://127.0.0.1:8000', long, true)
    assert.match(command, /\$MILLRACE_API_KEY/)
    const sent = execFileSync('sh', ['-s'], {
      input: `curl() { cat; }\n${command}\n`,
      encoding: 'utf8',
      maxBuffer: 1e7,
    })
    assert.equal(sent, `${long}\n`)
  })
})
