import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

const log = import.meta.resolve('../../src/runtime/log.ts')

/** What a process writes that logs these statements and is then killed. */
function logged(format: 'json' | 'pretty', statements: string) {
  const script = `import { createLog } from ${JSON.stringify(log)}
    const log = createLog({ level: 'info', format: '${format}', name: 'worker' })
    ${statements}
    process.kill(process.pid, 'SIGKILL')`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  return { stdout, lines: stderr.trim().split('\n') }
}

describe('the log', () => {
  it('is a line of JSON on stderr: level by name, RFC 3339 instant, process, message, fields', () => {
    const { stdout, lines } = logged('json', `log.debug('no'); log.warn({ taskId: 't1' }, 'slow')`)
    assert.equal(stdout, '')
    assert.equal(lines.length, 1)
    const { time, pid, ...rest } = JSON.parse(lines[0]!)
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(typeof pid, 'number')
    assert.deepEqual(rest, { level: 'warn', name: 'worker', taskId: 't1', msg: 'slow' })
  })

  it('tells an error with its stack and its cause', () => {
    const { lines } = logged(
      'json',
      `log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'bad')`,
    )
    const { err } = JSON.parse(lines[0]!)
    assert.equal(err.type, 'Error')
    assert.match(err.stack, /outer[\s\S]*inner/)
  })

  for (const format of ['json', 'pretty'] as const) {
    it(`keeps the last ${format} line before the process is killed`, () => {
      const { lines } = logged(format, `log.info('first'); log.info('last words')`)
      assert.equal(lines.length, 2)
      assert.match(lines[1]!, /last words/)
    })
  }

  it('is without colors where no terminal reads it', () => {
    const { lines } = logged('pretty', `log.info({ n: 1 }, 'hello')`)
    assert.match(lines[0]!, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO \(worker\): hello \{"n":1\}$/)
  })
})
