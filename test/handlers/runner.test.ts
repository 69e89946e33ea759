import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ClaimedTask, Verdict } from '../../src/domain/outcome.ts'
import { loadHandlers } from '../../src/handlers/load-handlers.ts'
import { createRunner } from '../../src/handlers/runner.ts'
import { keptLog } from './log.ts'
import { claimed } from './task.ts'

async function runnerFor(t: TestContext, concurrency: number, isOnGuard = false) {
  const handlers = await loadHandlers(join(import.meta.dirname, 'dangerous.ts'))
  const runner = createRunner({ handlers, log: keptLog().log, concurrency, isOnGuard })
  t.after(() => runner.stop())
  return runner
}

test('only suspects run in another process', async (t) => {
  const runner = await runnerFor(t, 10)
  const pidOf = async (crashes: number) => {
    const verdict = await runner.run(claimed({ type: 'pid', crashes }))
    return verdict.kind === 'completed' ? Number(verdict.result) : undefined
  }
  assert.equal(await pidOf(0), process.pid)
  assert.notEqual(await pidOf(1), process.pid)
})

test('while tasks end processes, all others run in another process too', async (t) => {
  const runner = await runnerFor(t, 10)
  await runner.run(claimed({ type: 'exit', crashes: 1 }))
  const verdict = await runner.run(claimed({ type: 'pid' }))
  assert.ok(verdict.kind === 'completed' && verdict.result !== String(process.pid))
})

test('where a worker has just died, all run in another process for a while', async (t) => {
  const runner = await runnerFor(t, 10, true)
  const verdict = await runner.run(claimed({ type: 'pid' }))
  assert.ok(verdict.kind === 'completed' && verdict.result !== String(process.pid))
})

test('of many suspects the guilty one alone fails, and the innocent all complete', async (t) => {
  const concurrency = 48
  const runner = await runnerFor(t, concurrency)
  const types = Array.from({ length: concurrency }, (_, at) => (at === 20 ? 'kill' : 'nap'))
  const verdicts = await Promise.all(types.map((type) => untilDecided(claimed({ type, crashes: 1 }))))

  const failed = verdicts.flatMap((verdict, at) => (verdict.kind === 'failed' ? [[types[at], verdict]] : []))
  assert.equal(failed.length, 1)
  assert.equal(failed[0]?.[0], 'kill')
  assert.equal(verdicts.filter(({ kind }) => kind === 'completed').length, concurrency - 1)

  /** As the ledger does: what has crashed comes again, with one crash more. */
  async function untilDecided(task: ClaimedTask): Promise<Verdict> {
    const verdict = await runner.run(task)
    if (verdict.kind !== 'crashed') return verdict
    return untilDecided({ ...task, attempt: task.attempt + 1, crashes: task.crashes + 1 })
  }
})
