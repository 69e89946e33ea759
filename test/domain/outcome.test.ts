import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ClaimedTask, outcomeOf, type Verdict } from '../../src/domain/outcome.ts'

const failure = { name: 'Error', message: 'no', attempt: 1 }
const failed: Verdict = { kind: 'failed', failure, retryable: true }
const maxAttempts = fc.integer({ min: 1, max: 100 })

function taskWith(about: Partial<ClaimedTask>): ClaimedTask {
  const task = { id: 'id', packet: 1, type: 'work', payload: 'null', attempt: 1, failures: 0, crashes: 0 }
  return { ...task, queue: 'default', maxAttempts: null, timeoutMs: null, waitedMs: 0, ...about }
}

const tasks = fc
  .record({
    attempt: fc.nat(1_000),
    failures: fc.nat(120),
    crashes: fc.nat(1_000),
    maxAttempts: fc.option(maxAttempts),
  })
  .map(taskWith)

test('a completed attempt completes the task with its result', () => {
  fc.assert(
    fc.property(tasks, fc.json(), (task, result) => {
      assert.deepEqual(outcomeOf(task, { kind: 'completed', result }), { task, status: 'completed', result })
    }),
  )
})

test('an interrupted attempt costs nothing, and a crash is counted as that alone', () => {
  fc.assert(
    fc.property(tasks, (task) => {
      assert.deepEqual(outcomeOf(task, { kind: 'interrupted' }), { task, status: 'pending', crashed: false })
      assert.deepEqual(outcomeOf(task, { kind: 'crashed' }), { task, status: 'pending', crashed: true })
    }),
  )
})

test('a task fails for good exactly when its failures have used up maxAttempts, however often it was begun', () => {
  fc.assert(
    fc.property(tasks, (task) => {
      const { status } = outcomeOf(task, failed)
      assert.equal(status, task.failures + 1 >= (task.maxAttempts ?? 3) ? 'failed' : 'scheduled')
    }),
  )
})

test('what may not be retried fails at once', () => {
  fc.assert(
    fc.property(tasks, (task) => {
      assert.equal(outcomeOf(task, { ...failed, retryable: false, delayMs: 5 }).status, 'failed')
    }),
  )
})

test('the submission decides about attempts, then the handler, then 3', () => {
  fc.assert(
    fc.property(fc.option(maxAttempts), fc.option(maxAttempts), (own, handlers) => {
      const verdict = handlers === null ? failed : { ...failed, maxAttempts: handlers }
      const outcome = outcomeOf(taskWith({ maxAttempts: own }), verdict)
      assert.ok('maxAttempts' in outcome)
      assert.equal(outcome.maxAttempts, own ?? handlers ?? 3)
    }),
  )
})

test('a retry waits as long as the handler says, else longer with each failure', () => {
  const delayOf = (failures: number, delayMs?: number) => {
    const verdict = delayMs === undefined ? failed : { ...failed, delayMs }
    const outcome = outcomeOf(taskWith({ failures, maxAttempts: 100 }), verdict, () => 0.5)
    return outcome.status === 'scheduled' ? outcome.delayMs : undefined
  }
  assert.deepEqual([delayOf(0), delayOf(1), delayOf(2)], [1_000, 2_000, 4_000])
  assert.deepEqual([delayOf(5, 0), delayOf(5, 123)], [0, 123])
})
