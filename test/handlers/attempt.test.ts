import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Failure, Verdict } from '../../src/domain/outcome.ts'
import type { ProgressReport } from '../../src/domain/progress.ts'
import { limits } from '../../src/domain/submission.ts'
import { createLocalRunner } from '../../src/handlers/attempt.ts'
import type { AbortReason, TaskContext } from '../../src/handlers/context.ts'
import type { TaskDefinition } from '../../src/handlers/define-task.ts'
import { defineTask, RetryLaterError } from '../../src/index.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

function runnerOf(...definitions: TaskDefinition[]) {
  const { log, lines } = keptLog()
  const reports: ProgressReport[] = []
  const byType = new Map(definitions.map((definition) => [definition.type, definition]))
  const hear = (report: ProgressReport) => void reports.push(report)
  return { ...createLocalRunner({ definitions: byType, log, hear }), lines, reports }
}

function work(run: (input: unknown, context: TaskContext) => unknown) {
  return runnerOf(defineTask({ type: 'work', run }))
}

function failureIn(verdict: Verdict): Failure & { retryable: boolean } {
  assert.ok(verdict.kind === 'failed', `expected a failure, got ${JSON.stringify(verdict)}`)
  return { ...verdict.failure, retryable: verdict.retryable }
}

describe('an attempt', () => {
  it('hands the parsed payload to the handler and keeps its result as JSON', async () => {
    const runner = work((input) => ({ got: input, b: 1 }))
    const verdict = await runner.run(claimed({ payload: '{"a":[1,null]}' }))
    assert.deepEqual(verdict, { kind: 'completed', result: '{"got":{"a":[1,null]},"b":1}' })
  })

  it('tells the handler which attempt it is, and the payload as it was sent', async () => {
    const runner = work((_, { id, type, attempt, payloadText }) => ({ id, type, attempt, payloadText }))
    const task = claimed({ payload: '12345678901234567890', attempt: 4 })
    const { id, type, attempt, payload } = task
    const result = JSON.stringify({ id, type, attempt, payloadText: payload })
    assert.deepEqual(await runner.run(task), { kind: 'completed', result })
  })

  it('gives the handler a log that carries the task', async () => {
    const runner = work((_, { log }) => log.info('hello'))
    const task = claimed({ attempt: 2 })
    await runner.run(task)
    const [{ taskId, type, attempt, msg } = {}] = runner.lines
    assert.deepEqual(
      { taskId, type, attempt, msg },
      { taskId: task.id, type: 'work', attempt: 2, msg: 'hello' },
    )
  })

  it('passes on what the handler says of its progress, until the attempt is over', async () => {
    const late = Promise.withResolvers<TaskContext['progress']>()
    const runner = work((_, { progress }) => {
      progress(1)
      progress(2, 3, 'two of three')
      late.resolve(progress)
    })
    const task = claimed({ attempt: 4 })
    await runner.run(task)
    const progress = await late.promise
    progress(3, 3)

    assert.deepEqual(runner.reports, [
      { id: task.id, attempt: 4, done: 1, total: null, message: null },
      { id: task.id, attempt: 4, done: 2, total: 3, message: 'two of three' },
    ])
  })

  it('fails with what the handler threw, now or later', async () => {
    const now = work(() => {
      throw new RangeError('at once')
    })
    const later = work(async () => {
      await sleep(1)
      throw new RangeError('later')
    })
    for (const [runner, message] of [
      [now, 'at once'],
      [later, 'later'],
    ] as const) {
      const failure = failureIn(await runner.run(claimed({ attempt: 2 })))
      assert.deepEqual([failure.name, failure.message, failure.attempt], ['RangeError', message, 2])
      assert.ok(failure.retryable)
    }
  })

  it("passes on the handler's own choice of delay and attempts", async () => {
    const run = () => {
      throw new RetryLaterError('later', { delayMs: 1_234 })
    }
    const runner = runnerOf(defineTask({ type: 'work', maxAttempts: 9, run }))
    const verdict = await runner.run(claimed())
    assert.ok(verdict.kind === 'failed')
    assert.deepEqual([verdict.delayMs, verdict.maxAttempts], [1_234, 9])
  })

  it('of a type without a handler fails and says so', async () => {
    const failure = failureIn(await work(() => 1).run(claimed({ type: 'other' })))
    assert.match(failure.message, /no handler for the type other/)
  })

  it('awaits a thenable, and fails if its then throws', async () => {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about
    const good = work(() => ({ then: (resolve: (value: number) => void) => resolve(5) }))
    assert.deepEqual(await good.run(claimed()), { kind: 'completed', result: '5' })
    const bad = work(() =>
      Object.defineProperty({}, 'then', {
        get() {
          throw new Error('trap')
        },
      }),
    )
    assert.equal(failureIn(await bad.run(claimed())).message, 'trap')
  })

  it('that was already begun under an older number ends the older one', async () => {
    const runner = work((_, { attempt }) => (attempt === 1 ? new Promise(() => {}) : 'second'))
    const task = claimed()
    const first = runner.run(task)
    const second = runner.run({ ...task, attempt: 2 })
    assert.deepEqual(await first, { kind: 'interrupted' })
    assert.deepEqual(await second, { kind: 'completed', result: '"second"' })
  })
})

describe('a payload', () => {
  const input = z.object({ url: z.string(), 'a/b': z.array(z.number()).optional() })

  it('that its schema refuses fails the task at once, with each issue and its place', async () => {
    let ran = false
    const runner = runnerOf(defineTask({ type: 'work', input, run: () => (ran = true) }))
    const failure = failureIn(await runner.run(claimed({ payload: '{"a/b":[1,"2"]}' })))
    assert.equal(failure.name, 'InvalidInputError')
    assert.match(failure.message, /^the payload is invalid: #\/url: .*; #\/a~1b\/1: /)
    assert.equal(failure.retryable, false)
    assert.equal(ran, false)
  })

  it('is checked by schemas that take their time', async () => {
    const slow = z.string().refine(async (text) => text === 'good')
    const runner = runnerOf(defineTask({ type: 'work', input: slow, run: (text) => text }))
    assert.deepEqual(await runner.run(claimed({ payload: '"good"' })), {
      kind: 'completed',
      result: '"good"',
    })
    assert.equal(failureIn(await runner.run(claimed({ payload: '"bad"' }))).name, 'InvalidInputError')
  })

  it('with very many issues is described by the first of them', async () => {
    const runner = runnerOf(defineTask({ type: 'work', input: z.array(z.number()), run: () => 1 }))
    const payload = JSON.stringify(Array.from({ length: 1_000 }, () => 'x'))
    assert.match(failureIn(await runner.run(claimed({ payload }))).message, /; and 980 more$/)
  })

  it('that is no JSON fails the task at once', async () => {
    const failure = failureIn(await work(() => 1).run(claimed({ payload: '{' })))
    assert.deepEqual([failure.name, failure.retryable], ['InvalidInputError', false])
  })

  it('whose schema itself breaks may be tried again', async () => {
    const broken = z.string().refine(() => {
      throw new Error('database away')
    })
    const runner = runnerOf(defineTask({ type: 'work', input: broken, run: () => 1 }))
    const failure = failureIn(await runner.run(claimed({ payload: '"x"' })))
    assert.deepEqual([failure.message, failure.retryable], ['database away', true])
  })

  it('starts no handler when the task was canceled during the check', async () => {
    let ran = false
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<boolean>()
    const slow = z.string().refine(() => {
      asked.resolve()
      return answer.promise
    })
    const runner = runnerOf(defineTask({ type: 'work', input: slow, run: () => (ran = true) }))
    const task = claimed({ payload: '"x"' })
    const verdict = runner.run(task)
    await asked.promise
    runner.abort(task.id, 1, 'canceled')
    answer.resolve(true)
    assert.deepEqual(await verdict, { kind: 'interrupted' })
    await sleep(1)
    assert.equal(ran, false)
  })
})

describe('a result', () => {
  it('of undefined is stored as null', async () => {
    assert.deepEqual(await work(() => undefined).run(claimed()), { kind: 'completed', result: 'null' })
  })

  const circular: Record<string, unknown> = {}
  circular.self = circular
  const toJSON = () => {
    throw new Error('not today')
  }
  const bad: [string, unknown, RegExp][] = [
    ['a BigInt', { n: 1n }, /cannot be stored as JSON: .*BigInt/],
    ['circular', circular, /cannot be stored as JSON: .*circular/],
    ['a function', () => 1, /is a function, which JSON has not/],
    ['a symbol', Symbol('x'), /is a symbol, which JSON has not/],
    ['an object whose toJSON throws', { toJSON }, /cannot be stored as JSON: not today/],
    ['too large', 'x'.repeat(limits.resultBytes), /has 1048578 bytes of JSON, and 1048576 is the limit/],
    ['too large in bytes only', '€'.repeat(limits.resultBytes / 3 + 1), /bytes of JSON/],
  ]
  for (const [what, result, message] of bad) {
    it(`that is ${what} fails that one task, for good`, async () => {
      const failure = failureIn(await work(() => result).run(claimed()))
      assert.equal(failure.name, 'InvalidResultError')
      assert.match(failure.message, message)
      assert.equal(failure.retryable, false)
    })
  }

  it('of exactly the limit is stored', async () => {
    const verdict = await work(() => 'x'.repeat(limits.resultBytes - 2)).run(claimed())
    assert.ok(verdict.kind === 'completed' && verdict.result.length === limits.resultBytes)
  })

  it('with lone surrogates and NUL stays valid JSON', async () => {
    const verdict = await work(() => '\ud800\0').run(claimed())
    assert.deepEqual(verdict, { kind: 'completed', result: '"\\ud800\\u0000"' })
  })
})

describe('a time limit', () => {
  it("ends an attempt whose handler ignores it, and ignores the handler's late result", async () => {
    const late = Promise.withResolvers<string>()
    const runner = work(() => late.promise)
    const failure = failureIn(await runner.run(claimed({ timeoutMs: 20 })))
    late.resolve('late')
    assert.deepEqual(
      [failure.name, failure.message, failure.retryable],
      ['TimeoutError', 'the attempt took longer than its 20 ms', true],
    )
  })

  it("is the handler's where the task has none", async () => {
    const run = () => new Promise(() => {})
    const runner = runnerOf(defineTask({ type: 'work', timeoutMs: 20, maxAttempts: 2, run }))
    const verdict = await runner.run(claimed())
    assert.ok(verdict.kind === 'failed' && verdict.maxAttempts === 2)
    assert.equal(verdict.failure.name, 'TimeoutError')
  })

  it('aborts the signal with a TimeoutError', async () => {
    const reason = Promise.withResolvers<unknown>()
    const runner = work(async (_, { signal }) => {
      await once(signal, 'abort')
      reason.resolve(signal.reason)
    })
    await runner.run(claimed({ timeoutMs: 20 }))
    const seen = await reason.promise
    assert.ok(seen instanceof Error && seen.name === 'TimeoutError')
  })

  it('that is not reached changes nothing', async () => {
    const runner = work(() => 'in time')
    assert.equal((await runner.run(claimed({ timeoutMs: 60_000 }))).kind, 'completed')
  })
})

describe('an abort', () => {
  for (const reason of ['canceled', 'lost', 'shutdown'] satisfies AbortReason[]) {
    it(`because of ${reason} ends the attempt as interrupted at once and aborts the signal`, async () => {
      const seen = Promise.withResolvers<unknown>()
      const runner = work(async (_, { signal }) => {
        signal.addEventListener('abort', () => seen.resolve(signal.reason))
        await new Promise(() => {})
      })
      const task = claimed()
      const verdict = runner.run(task)
      runner.abort(task.id, 1, reason)
      assert.deepEqual(await verdict, { kind: 'interrupted' })
      const error = await seen.promise
      assert.ok(error instanceof Error && error.name === 'AbortError' && 'code' in error)
      assert.equal(error.code, reason)
    })
  }

  it('is seen by a handler that first asks for its signal afterwards', async () => {
    const asked = Promise.withResolvers<boolean>()
    const gate = Promise.withResolvers<void>()
    const runner = work(async (_, context) => {
      await gate.promise
      asked.resolve(context.signal.aborted)
    })
    const task = claimed()
    const verdict = runner.run(task)
    runner.abort(task.id, 1, 'canceled')
    gate.resolve()
    await verdict
    assert.equal(await asked.promise, true)
  })

  it('is no failure of a handler that throws because of it', async () => {
    const runner = work((_, { signal }) => sleep(60_000, undefined, { signal }))
    const task = claimed()
    const verdict = runner.run(task)
    runner.abort(task.id, 1, 'shutdown')
    assert.deepEqual(await verdict, { kind: 'interrupted' })
  })

  it('of another attempt or another task does nothing', async () => {
    const gate = Promise.withResolvers<string>()
    const runner = work(() => gate.promise)
    const task = claimed({ attempt: 2 })
    const verdict = runner.run(task)
    runner.abort(task.id, 1, 'canceled')
    runner.abort('somebody else', 2, 'canceled')
    gate.resolve('untouched')
    assert.deepEqual(await verdict, { kind: 'completed', result: '"untouched"' })
  })

  it('comes to all that run when the runner stops', async () => {
    const runner = work(() => new Promise(() => {}))
    const verdicts = [claimed(), claimed({ timeoutMs: 60_000 })].map((task) => runner.run(task))
    await runner.stop()
    assert.deepEqual(await Promise.all(verdicts), [{ kind: 'interrupted' }, { kind: 'interrupted' }])
  })
})
