import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PastAttempt, TaskDetail } from '../../src/domain/task.ts'
import { type Past, type Timeline, timelineOf } from '../../src/domain/timeline.ts'
import { detailOf, taskOf } from '../api/api-under-test.ts'

const at = (seconds: number) => new Date(Date.UTC(2030, 0, 31, 9, 0, seconds)).toISOString()
const second = (instant: string | null) =>
  instant === null ? null : (Date.parse(instant) - Date.parse(at(0))) / 1_000

/** Kind, from, to, and how an attempt ended: in seconds. */
const short = ({ spans }: Timeline) =>
  spans.map(({ kind, from, to, outcome }) => [
    kind,
    second(from),
    second(to),
    ...(kind === 'attempt' ? [outcome] : []),
  ])
const marks = ({ marks }: Timeline) => marks.map(({ kind, at }) => [kind, second(at)])

const failure = '{"name":"Error","message":"no luck","attempt":1}'
const failedAt = (attempt: number, from: number, to: number): PastAttempt => ({
  ...{ attempt, startedAt: at(from), finishedAt: at(to) },
  ...{ error: failure, workerId: 'w' },
})

function timeline(
  change: Partial<TaskDetail>,
  { attempts = [], ...past }: Partial<Past> & { attempts?: PastAttempt[] } = {},
): Timeline {
  const task = taskOf({}, { createdAt: at(0), runAt: at(0), ...change })
  return timelineOf(detailOf(task, attempts), {
    ...{ now: at(50), failures: attempts.length, sentAt: null, claimedAt: null },
    ...past,
  })
}

test('the timeline of a task', async (t) => {
  await t.test('that waits', () => {
    const waiting = timeline({})
    assert.deepEqual(short(waiting), [['waiting', 0, null]])
    assert.deepEqual(marks(waiting), [['submitted', 0]])
  })

  await t.test('that is due later', () => {
    const later = timeline({ status: 'scheduled', runAt: at(60) })
    assert.deepEqual(short(later), [['waiting', 0, null]])
    assert.deepEqual(marks(later), [
      ['submitted', 0],
      ['due', 60],
    ])
  })

  await t.test('that runs', () => {
    const running = timeline(
      { status: 'processing', attempt: 1, startedAt: at(4), workerId: 'w' },
      { sentAt: at(1), claimedAt: at(4) },
    )
    assert.deepEqual(short(running), [
      ['waiting', 0, 4],
      ['attempt', 4, null, null],
    ])
    assert.deepEqual(marks(running), [
      ['submitted', 0],
      ['sent', 1],
      ['claimed', 4],
    ])
  })

  await t.test('that failed and backs off, then waits, then completes', () => {
    const attempts = [failedAt(1, 2, 5)]
    const task = { attempt: 1, startedAt: at(2), runAt: at(70) }
    assert.deepEqual(short(timeline({ ...task, status: 'scheduled' }, { attempts })).slice(1), [
      ['attempt', 2, 5, 'failed'],
      ['backoff', 5, null],
    ])
    const due = timeline({ ...task, status: 'pending', runAt: at(20) }, { attempts })
    assert.deepEqual(short(due).slice(2), [
      ['backoff', 5, 20],
      ['waiting', 20, null],
    ])
    const done = { status: 'completed', attempt: 2, startedAt: at(24), finishedAt: at(30) } as const
    assert.deepEqual(short(timeline({ ...done, runAt: at(20) }, { attempts })).slice(2), [
      ['backoff', 5, 20],
      ['waiting', 20, 24],
      ['attempt', 24, 30, 'completed'],
    ])
  })

  await t.test('that failed for good', () => {
    const attempts = [failedAt(1, 2, 5), failedAt(2, 15, 16)]
    const failed = timeline(
      { status: 'failed', attempt: 2, startedAt: at(15), finishedAt: at(16) },
      { attempts },
    )
    assert.deepEqual(short(failed), [
      ['waiting', 0, 2],
      ['attempt', 2, 5, 'failed'],
      ['backoff', 5, 15],
      ['attempt', 15, 16, 'failed'],
    ])
    assert.equal(failed.spans[1]!.error, failure)
    assert.deepEqual(marks(failed).at(-1), ['failed', 16])
  })

  await t.test('that was retried has nothing between its end and that', () => {
    const attempts = [failedAt(1, 2, 5)]
    const retried = timeline({ attempt: 1, runAt: at(40) }, { attempts, failures: 0 })
    assert.deepEqual(short(retried).slice(1), [
      ['attempt', 2, 5, 'failed'],
      ['waiting', 40, null],
    ])
    assert.deepEqual(marks(retried), [
      ['submitted', 0],
      ['retried', 40],
    ])
    const again = timeline(
      { status: 'scheduled', attempt: 2, runAt: at(60), startedAt: at(41) },
      { attempts: [...attempts, failedAt(2, 41, 42)], failures: 1 },
    )
    assert.deepEqual(short(again).slice(1), [
      ['attempt', 2, 5, 'failed'],
      ['attempt', 41, 42, 'failed'],
      ['backoff', 42, null],
    ])
  })

  await t.test('that was canceled while it waited, ran or backed off', () => {
    const canceled = { status: 'canceled', finishedAt: at(30) } as const
    assert.deepEqual(short(timeline(canceled)), [['waiting', 0, 30]])
    assert.deepEqual(short(timeline({ ...canceled, attempt: 1, startedAt: at(10) })), [
      ['waiting', 0, 10],
      ['attempt', 10, 30, 'canceled'],
    ])
    const attempts = [failedAt(1, 2, 5)]
    const early = timeline({ ...canceled, attempt: 1, startedAt: at(2), runAt: at(70) }, { attempts })
    assert.deepEqual(short(early).at(-1), ['backoff', 5, 30])
    assert.deepEqual(marks(early).at(-2), ['canceled', 30])
  })
})
