import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startScript, type TestProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const living = fileURLToPath(new URL('./living.ts', import.meta.url))
const forever = '600000'

describe('a process that is asked to stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    it(`by ${signal} stops its services, last started first, and exits with 0`, async (t) => {
      const living = await startLiving(t)

      living.kill(signal)

      assert.equal(await living.exited, 0)
      assert.deepEqual(living.output().trim().split('\n'), [
        `stopping: ${signal}`,
        'failing did not stop cleanly: it is stuck',
        'middle stopped',
        'first stopped',
        'the end',
      ])
    })

  it('takes a signal that comes twice in a moment for one', async (t) => {
    const living = await startLiving(t)

    living.kill('SIGINT')
    living.kill('SIGTERM')

    assert.equal(await living.exited, 0)
    assert.match(living.output(), /the end/)
  })

  it('exits at once at a second signal', async (t) => {
    const living = await startLiving(t, forever)
    living.kill('SIGTERM')
    await until(() => living.output().includes('stopping'), { what: 'it is stopping' })

    await untilGone(living)

    assert.equal(await living.exited, 143)
    assert.doesNotMatch(living.output(), /middle stopped/)
  })

  it('exits with 1 when a service does not stop in time', async (t) => {
    const living = await startLiving(t, forever)

    living.kill('SIGTERM')

    assert.equal(await living.exited, 1)
    assert.match(living.output(), /still not stopped after 5 s: exiting/)
  })

  it('stops when the process that started it is killed', async () => {
    const parent = `
      const { spawn } = require('node:child_process')
      spawn(process.execPath, [${JSON.stringify(living)}], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
        .on('message', () => process.kill(process.pid, 'SIGKILL'))`

    const child = spawn(process.execPath, ['--eval', parent], { stdio: ['ignore', 'pipe', 'inherit'] })

    assert.match(
      await text(child.stdout),
      /stopping: the process that started this one is gone\n[\s\S]+the end/,
    )
  })
})

function startLiving(t: TestContext, stopsAfterMs = '0') {
  return startScript(t, [living, stopsAfterMs])
}

/** Sends the signal again and again, because one that follows the first too closely counts as the same. */
async function untilGone(living: TestProcess): Promise<void> {
  let isGone = false
  void living.exited.then(() => {
    isGone = true
  })
  await until(
    () => {
      if (!isGone) living.kill('SIGTERM')
      return isGone
    },
    { what: 'it is gone' },
  )
}
