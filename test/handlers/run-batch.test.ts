import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { ProgressReport } from '../../src/domain/progress.ts'
import { createLocalRunner, type Runner } from '../../src/handlers/attempt.ts'
import type { BatchContext } from '../../src/handlers/context.ts'
import type { TaskDefinition } from '../../src/handlers/define-task.ts'
import { defineTask, NonRetryableError } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

function runnerOf(definition: TaskDefinition): Runner {
  return createLocalRunner({ definitions: new Map([[definition.type, definition]]), log: keptLog().log })
}

function batchWork(
  runBatch: (inputs: readonly unknown[], context: BatchContext) => unknown[] | Promise<unknown[]>,
) {
  return runnerOf(defineTask({ type: 'work', maxBatch: 3, runBatch }))
}

const payloads = (...texts: string[]) => texts.map((payload) => claimed({ payload }))
const runAll = (runner: Runner, tasks: ReturnType<typeof payloads>) =>
  Promise.all(tasks.map((task) => runner.run(task)))

/** A batch handler whose calls the test ends by hand. */
function heldCalls() {
  const calls: { inputs: readonly unknown[]; context: BatchContext; end: () => void }[] = []
  const runner = batchWork((inputs, context) => {
    const { promise, resolve } = Promise.withResolvers<unknown[]>()
    calls.push({ inputs, context, end: () => resolve([...inputs]) })
    return promise
  })
  const call = (at: number) => until(() => calls[at], { what: `call ${at} of the handler` })
  return { runner, calls, call }
}

test('tasks that wait at the same time are run in one call and get their own results', async () => {
  const sizes: number[] = []
  const runner = batchWork((inputs) => {
    sizes.push(inputs.length)
    return inputs.map((input) => ({ got: input }))
  })
  const verdicts = await runAll(runner, payloads('1', '"two"'))
  assert.deepEqual(sizes, [2])
  assert.deepEqual(verdicts, [
    { kind: 'completed', result: '{"got":1}' },
    { kind: 'completed', result: '{"got":"two"}' },
  ])
})

test('the tasks of a call each have a progress of their own', async () => {
  const reports: string[] = []
  const definition = defineTask({
    type: 'work',
    runBatch: (inputs, { tasks }) => {
      tasks[1]?.progress(5, 7)
      return [...inputs]
    },
  })
  const definitions = new Map([['work', definition]])
  const hear = ({ id, done, total }: ProgressReport) => void reports.push(`${id} ${done}/${total}`)
  const runner = createLocalRunner({ definitions, log: keptLog().log, hear })
  const tasks = payloads('1', '2')
  await runAll(runner, tasks)

  assert.deepEqual(reports, [`${tasks[1]?.id} 5/7`])
})

test('a call takes no more than maxBatch tasks', async () => {
  const sizes: number[] = []
  const runner = batchWork((inputs) => {
    sizes.push(inputs.length)
    return [...inputs]
  })
  await runAll(runner, payloads('1', '2', '3', '4', '5', '6', '7'))
  assert.deepEqual(sizes, [3, 3, 1])
})

test('tasks gather while a call runs, and a full call does not wait for it', async () => {
  const { runner, calls, call } = heldCalls()
  const all = [...payloads('1')].map((task) => runner.run(task))
  await call(0)
  all.push(...payloads('2', '3').map((task) => runner.run(task)))
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  assert.equal(calls.length, 1)
  all.push(...payloads('4', '5').map((task) => runner.run(task)))
  assert.deepEqual((await call(1)).inputs, [2, 3, 4])
  calls[0]?.end()
  calls[1]?.end()
  assert.deepEqual((await call(2)).inputs, [5])
  calls[2]?.end()
  assert.ok((await Promise.all(all)).every(({ kind }) => kind === 'completed'))
})

test('an Error among the outcomes fails that one task, by the rules of thrown errors', async () => {
  const runner = batchWork(() => [1, new NonRetryableError('never'), new Error('not now')])
  const [first, second, third] = await runAll(runner, payloads('1', '2', '3'))
  assert.equal(first?.kind, 'completed')
  assert.ok(second?.kind === 'failed' && !second.retryable && second.failure.message === 'never')
  assert.ok(third?.kind === 'failed' && third.retryable && third.failure.message === 'not now')
})

test('a result that cannot be stored fails that one task', async () => {
  const [first, second] = await runAll(
    batchWork(() => [1n, 2]),
    payloads('1', '2'),
  )
  assert.ok(first?.kind === 'failed' && first.failure.name === 'InvalidResultError')
  assert.equal(second?.kind, 'completed')
})

for (const [what, answer, message] of [
  ['too few outcomes', [1], /returned 1 outcomes for 2 inputs/],
  ['too many outcomes', [1, 2, 3], /returned 3 outcomes for 2 inputs/],
  ['no array', undefined, /returned no array for 2 inputs/],
] as const) {
  test(`${what} fail all tasks of the call`, async () => {
    const runner = runnerOf(
      Reflect.apply(defineTask, undefined, [{ type: 'work', runBatch: async () => answer }]),
    )
    for (const verdict of await runAll(runner, payloads('1', '2'))) {
      assert.ok(verdict.kind === 'failed')
      assert.match(verdict.failure.message, message)
    }
  })
}

test('what a call throws fails all of its tasks, each with its own attempt', async () => {
  const runner = batchWork(() => {
    throw new TypeError('all of it')
  })
  const verdicts = await runAll(runner, [claimed({ attempt: 1 }), claimed({ attempt: 5 })])
  const failures = verdicts.map((verdict) => (verdict.kind === 'failed' ? verdict.failure : undefined))
  assert.deepEqual(
    failures.map((failure) => [failure?.name, failure?.attempt]),
    [
      ['TypeError', 1],
      ['TypeError', 5],
    ],
  )
})

test('an invalid payload fails its task and does not reach the call', async () => {
  const seen: unknown[] = []
  const runner = runnerOf(
    defineTask({
      type: 'work',
      input: z.number(),
      runBatch(inputs) {
        seen.push(...inputs)
        return inputs
      },
    }),
  )
  const [first, second] = await runAll(runner, payloads('"x"', '2'))
  assert.ok(first?.kind === 'failed' && first.failure.name === 'InvalidInputError')
  assert.equal(second?.kind, 'completed')
  assert.deepEqual(seen, [2])
})

test('the context lists the tasks in the order of their inputs', async () => {
  const { runner, call } = heldCalls()
  const tasks = payloads('1.0', '2e0')
  const verdicts = tasks.map((task) => runner.run(task))
  const { context, end } = await call(0)
  assert.deepEqual(
    context.tasks.map(({ progress: _, ...task }) => task),
    tasks.map(({ id, attempt, payload }) => ({ id, attempt, payloadText: payload })),
  )
  end()
  await Promise.all(verdicts)
})

test('a task that is canceled while it waits takes no part', async () => {
  const { runner, calls, call } = heldCalls()
  const running = payloads('1').map((task) => runner.run(task))
  await call(0)
  const [second, third] = payloads('2', '3')
  assert.ok(second && third)
  const canceled = runner.run(second)
  running.push(runner.run(third))
  runner.abort(second.id, 1, 'canceled')
  assert.deepEqual(await canceled, { kind: 'interrupted' })
  calls[0]?.end()
  assert.deepEqual((await call(1)).inputs, [3])
  calls[1]?.end()
  await Promise.all(running)
})

test('the signal aborts when the last of the tasks is not wanted any more', async () => {
  const { runner, call } = heldCalls()
  const [first, second] = payloads('1', '2')
  assert.ok(first && second)
  const verdicts = [first, second].map((task) => runner.run(task))
  const { context } = await call(0)
  runner.abort(first.id, 1, 'canceled')
  assert.equal(context.signal.aborted, false)
  runner.abort(second.id, 1, 'canceled')
  assert.equal(context.signal.aborted, true)
  await Promise.all(verdicts)
})

test('a time limit ends its own task, and a call that hangs past all limits holds nobody up', async () => {
  const { runner, calls, call } = heldCalls()
  const [brief] = await runAll(runner, [claimed({ timeoutMs: 20 })])
  assert.ok(brief?.kind === 'failed' && brief.failure.name === 'TimeoutError')
  assert.equal(calls[0]?.context.signal.aborted, true)

  const next = runner.run(claimed({ payload: '2' }))
  assert.deepEqual((await call(1)).inputs, [2])
  calls[1]?.end()
  assert.equal((await next).kind, 'completed')
})

test('waiting for a call does not count against the time limit', async () => {
  const { runner, calls, call } = heldCalls()
  const first = runner.run(claimed({ payload: '1' }))
  await call(0)
  const second = runner.run(claimed({ payload: '2', timeoutMs: 20 }))
  const hasEnded = await Promise.race([second.then(() => true), oneTimeoutOf(40).then(() => false)])
  assert.equal(hasEnded, false)
  calls[0]?.end()
  ;(await call(1)).end()
  assert.deepEqual([(await first).kind, (await second).kind], ['completed', 'completed'])
})

/** Time enough for a limit of `limitMs` to be noticed, as told by one that began at the same moment. */
async function oneTimeoutOf(limitMs: number) {
  const runner = batchWork(() => new Promise(() => {}))
  await runner.run(claimed({ timeoutMs: limitMs }))
}
