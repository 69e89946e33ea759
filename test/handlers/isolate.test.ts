import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ClaimedTask, Verdict } from '../../src/domain/outcome.ts'
import type { ProgressReport } from '../../src/domain/progress.ts'
import type { Runner } from '../../src/handlers/attempt.ts'
import { createIsolation } from '../../src/handlers/isolate.ts'
import { loadHandlers } from '../../src/handlers/load-handlers.ts'
import { testFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

const dangerous = join(import.meta.dirname, 'dangerous.ts')
/** Processes start slowly on a machine that is busy. */
const deadlineMs = 60_000

/** With 64 at once, 16 tasks that crashed once share a process, and tasks that crashed twice run alone. */
async function isolation(
  t: TestContext,
  { path = dangerous, longestBlockMs = 60_000, guardMs = 60_000 } = {},
) {
  const { log, lines } = keptLog()
  const reports: ProgressReport[] = []
  const handlers = await loadHandlers(path)
  const runner = createIsolation({
    handlers,
    log,
    concurrency: 64,
    longestBlockMs,
    guardMs,
    isOnGuard: false,
    hear: (report) => void reports.push(report),
  })
  t.after(() => runner.stop())
  return { runner, lines, reports }
}

const once = (type: string, about: Partial<ClaimedTask> = {}) => claimed({ type, crashes: 1, ...about })
const twice = (type: string, about: Partial<ClaimedTask> = {}) => claimed({ type, crashes: 2, ...about })
const kinds = (verdicts: Verdict[]) => verdicts.map(({ kind }) => kind)

async function failureOf(runner: Runner, task: ClaimedTask) {
  const verdict = await runner.run(task)
  assert.ok(verdict.kind === 'failed', JSON.stringify(verdict))
  return { name: verdict.failure.name, message: verdict.failure.message, retryable: verdict.retryable }
}

test('suspects that behave end as they would have anywhere, in another process', async (t) => {
  const { runner, lines } = await isolation(t)
  const payload = '{"text":"\\ud83d\\ude00","n":[1,null]}'
  const [fine, pid, fail] = await Promise.all([
    runner.run(once('fine', { payload })),
    runner.run(once('pid')),
    runner.run(once('fail', { attempt: 4 })),
  ])

  assert.deepEqual(fine, { kind: 'completed', result: '{"text":"😀","n":[1,null]}' })
  assert.ok(pid?.kind === 'completed' && pid.result !== String(process.pid))
  assert.ok(fail?.kind === 'failed' && fail.failure.attempt === 4 && fail.maxAttempts === 7)
  assert.ok(lines.some(({ msg, type, level }) => msg === 'at work' && type === 'fine' && level === 30))
})

test('what a suspect says of its progress is heard before its verdict, the latest of it', async (t) => {
  const { runner, reports } = await isolation(t)
  const task = once('talk')
  await runner.run(task)

  assert.deepEqual(reports.at(-1), { id: task.id, attempt: 1, done: 100_000, total: null, message: 'done' })
  assert.ok(reports.length < 100, `${reports.length} reports for 100,000`)
})

test('those that crashed once share a process; those that crashed again have one each', async (t) => {
  const { runner } = await isolation(t)
  const pids = async (tasks: ClaimedTask[]) => {
    const verdicts = await Promise.all(tasks.map((task) => runner.run(task)))
    return new Set(verdicts.map((verdict) => verdict.kind === 'completed' && verdict.result)).size
  }

  assert.equal(await pids(Array.from({ length: 16 }, () => once('pid'))), 1)
  assert.equal(await pids(Array.from({ length: 6 }, () => twice('pid'))), 6)
})

test('when a process dies by surprise, all that ran in it have crashed once more', async (t) => {
  const { runner } = await isolation(t)
  const verdicts = await Promise.all(['nap', 'kill', 'nap'].map((type) => runner.run(once(type))))
  assert.deepEqual(kinds(verdicts), ['crashed', 'crashed', 'crashed'])

  assert.equal((await runner.run(once('fine'))).kind, 'completed')
})

test('when a process tells whose code ended it, that task alone has failed, and the others have lost nothing', async (t) => {
  const { runner } = await isolation(t)
  const [first, guilty, last] = await Promise.all(
    ['nap', 'exit', 'nap'].map((type) => runner.run(once(type))),
  )
  assert.deepEqual([first?.kind, last?.kind], ['interrupted', 'interrupted'])
  assert.ok(guilty?.kind === 'failed' && guilty.retryable)
  assert.equal(guilty.failure.name, 'WorkerLostError')
  assert.match(guilty.failure.message, /was lost: it exited with code 7$/)
})

test('nobody is blamed for what another task left behind', async (t) => {
  const { runner } = await isolation(t)
  const verdicts = await Promise.all(['bomb', 'nap'].map((type) => runner.run(once(type))))
  assert.deepEqual(kinds(verdicts), ['completed', 'interrupted'])

  const alone = await Promise.all(['bomb', 'nap'].map((type) => runner.run(twice(type))))
  assert.deepEqual(kinds(alone), ['completed', 'completed'])
})

for (const [type, message] of [
  ['exit', /: it exited with code 7$/],
  ['kill', /: signal SIGKILL, as the system sends it/],
  ['abort', /: signal SIGABRT, most likely because it ran out of memory$/],
] as const) {
  test(`alone in its process, the handler "${type}" fails with the way in which that ended`, async (t) => {
    const { runner } = await isolation(t)
    const failure = await failureOf(runner, twice(type))
    assert.deepEqual([failure.name, failure.retryable], ['WorkerLostError', true])
    assert.match(failure.message, message)
  })
}

test('a handler that uses up the memory fails, and takes nobody with it', async (t) => {
  const { NODE_OPTIONS = '' } = process.env
  process.env.NODE_OPTIONS = `${NODE_OPTIONS} --max-old-space-size=48`
  t.after(() => {
    process.env.NODE_OPTIONS = NODE_OPTIONS
  })
  const { runner } = await isolation(t)
  const [memory, fine] = await Promise.all([failureOf(runner, twice('memory')), runner.run(twice('fine'))])
  assert.match(memory.message, /SIGABRT, most likely because it ran out of memory/)
  assert.equal(fine?.kind, 'completed')
})

test('an endless loop ends at its time limit', async (t) => {
  const { runner } = await isolation(t)
  const failure = await failureOf(runner, twice('loop', { timeoutMs: 100 }))
  assert.deepEqual(failure, {
    name: 'TimeoutError',
    message: 'the attempt took longer than its 100 ms',
    retryable: true,
  })
})

test('an endless loop in company is nobody’s known fault, whoever had a time limit', async (t) => {
  const { runner } = await isolation(t)
  const tasks = [once('nap', { timeoutMs: 100 }), once('loop'), once('nap')]
  const verdicts = await Promise.all(tasks.map((task) => runner.run(task)))
  assert.deepEqual(kinds(verdicts), ['crashed', 'crashed', 'crashed'])
})

test('an endless loop without a limit is ended when its process has been silent for too long', async (t) => {
  const { runner } = await isolation(t, { longestBlockMs: 2_500 })
  const failure = await failureOf(runner, twice('loop'))
  assert.equal(failure.name, 'WorkerLostError')
  assert.match(failure.message, /its event loop had been blocked beyond 2500 ms/)
})

test('a floating rejection ends nothing and is logged', async (t) => {
  const { runner, lines } = await isolation(t)
  const task = twice('floating')
  assert.deepEqual(await runner.run(task), { kind: 'completed', result: '"fine"' })
  const isLogged = () => lines.some(({ taskId, level }) => taskId === task.id && level === 50)
  await until(isLogged, { what: 'a line about the rejection' })
})

test('signals of the terminal are left to the worker', async (t) => {
  const { runner } = await isolation(t)
  assert.deepEqual(await runner.run(twice('signals')), { kind: 'completed', result: '"ignored"' })
})

for (const start of [once, twice]) {
  test(`an abort ends the attempt at once and reaches the handler (${start.name})`, async (t) => {
    const { runner } = await isolation(t)
    const file = join(testFolder(t), 'wait')
    const task = start('wait', { payload: JSON.stringify(file) })
    const verdict = runner.run(task)
    await until(() => readFileSync(file, 'utf8'), { what: 'the handler to begin', deadlineMs })
    runner.abort(task.id, task.attempt, 'canceled')
    assert.deepEqual(await verdict, { kind: 'interrupted' })
    const reason = await until(() => readFileSync(`${file}.aborted`, 'utf8'), {
      what: 'the signal',
      deadlineMs,
    })
    assert.match(reason, /AbortError: the task was canceled/)
  })
}

test('what waited while another blocked its process starts then, unless it was aborted meanwhile', async (t) => {
  const { runner } = await isolation(t)
  const folder = testFolder(t)
  const named = (type: string) => once(type, { payload: JSON.stringify(join(folder, type)) })
  const blocking = runner.run(named('block'))
  await until(() => readFileSync(join(folder, 'block'), 'utf8'), { what: 'the handler to block', deadlineMs })
  const aborted = named('wait')
  const verdicts = [aborted, once('fine')].map((task) => runner.run(task))
  await new Promise(setImmediate) // both are sent
  runner.abort(aborted.id, aborted.attempt, 'canceled')

  assert.deepEqual(kinds(await Promise.all(verdicts)), ['interrupted', 'completed'])
  assert.equal((await blocking).kind, 'completed')
  assert.deepEqual(readdirSync(folder), ['block'])
})

test('those that crashed once do not wait for those that crashed again', async (t) => {
  const { runner } = await isolation(t)
  const slow = Array.from({ length: 5 }, () =>
    twice('wait', { payload: JSON.stringify(join(testFolder(t), 'x')) }),
  )
  for (const task of slow) void runner.run(task)
  assert.equal((await runner.run(once('fine'))).kind, 'completed')
})

test('is on guard for a while after a task has ended a process, and only then', async (t) => {
  const { runner } = await isolation(t, { guardMs: 100 })
  await runner.run(once('fail'))
  assert.equal(runner.isOnGuard(), false)
  await runner.run(once('exit'))
  assert.equal(runner.isOnGuard(), true)
  await until(() => !runner.isOnGuard(), { what: 'the end of the guard' })
})

test('an abort of a suspect that waits for a process ends it at once', async (t) => {
  const { runner } = await isolation(t)
  const running = Array.from({ length: 4 }, () => runner.run(twice('nap')))
  const waiting = twice('fine')
  const verdict = runner.run(waiting)
  runner.abort(waiting.id, waiting.attempt, 'lost')
  assert.deepEqual(await verdict, { kind: 'interrupted' })
  assert.deepEqual(new Set(kinds(await Promise.all(running))), new Set(['completed']))
})

test('stopping interrupts what runs, blocks or waits, and leaves no process', async (t) => {
  const { runner } = await isolation(t)
  const folder = testFolder(t)
  const task = (type: string, at: number) =>
    twice(type, { payload: JSON.stringify(join(folder, String(at))) })
  const tasks = ['loop', 'wait', 'wait', 'wait', 'wait', 'wait'].map(task)
  const verdicts = tasks.map((task) => runner.run(task))
  const running = [0, 1, 2, 3].map((at) =>
    until(() => Number(readFileSync(join(folder, String(at)), 'utf8')), {
      what: `handler ${at}`,
      deadlineMs,
    }),
  )
  const pids = await Promise.all(running)

  await runner.stop()
  assert.deepEqual(new Set(kinds(await Promise.all(verdicts))), new Set(['interrupted']))
  assert.deepEqual(pids.filter(isAlive), [])
  assert.deepEqual(await runner.run(twice('fine')), { kind: 'interrupted' })
})

test('a process that is blocked for ever ends with its worker, even if that is killed', async (t) => {
  const file = join(testFolder(t), 'loop')
  const worker = fork(join(import.meta.dirname, 'blocked-program.ts'), [file])
  t.after(() => worker.kill('SIGKILL'))
  const pid = await until(() => Number(readFileSync(file, 'utf8')), { what: 'the loop to begin', deadlineMs })

  worker.kill('SIGKILL')
  t.after(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
  await until(() => !isAlive(pid), { what: 'the end of the process', deadlineMs })
})

test('handlers that can no longer be loaded fail the task and say why', async (t) => {
  const path = join(testFolder(t), 'changed.ts')
  writeFileSync(path, readFileSync(dangerous))
  const { runner } = await isolation(t, { path })
  writeFileSync(path, 'throw new Error("edited meanwhile")')
  const failure = await failureOf(runner, once('fine'))
  assert.match(
    failure.message,
    /could not start: cannot load the handlers of .*changed\.ts: edited meanwhile/,
  )
})

function isAlive(pid: number) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
