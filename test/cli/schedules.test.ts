import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type FakeMillrace, fakeMillrace } from '../client/fake-millrace.ts'
import { runMillrace } from './run-millrace.ts'

let fake: FakeMillrace
let url: string

before(async () => {
  fake = await fakeMillrace()
  url = fake.url
})
after(() => fake.close())

describe('schedules on the command line', () => {
  it('are set, listed, paused, run and deleted', async (t) => {
    const run = (...args: string[]) => runMillrace(t, args, { url })
    const payload = '{"n":12345678901234567890}'
    const set = await run(
      ...['schedule', 'set', 'report', '30 9 * * 1-5', payload, '--time-zone', 'Europe/Berlin'],
      ...['--catch-up', 'none', '--type', 'a', '--timeout', '5s'],
    )
    assert.equal(set.code, 0, set.stderr)
    const [sent] = fake.requestsTo('/schedules/report')
    assert.equal(
      sent!.body,
      `{"cron":"30 9 * * 1-5","timeZone":"Europe/Berlin","catchUp":"none","task":{"payload":${payload},"type":"a","timeoutMs":5000}}`,
    )

    assert.equal(JSON.parse((await run('schedules')).stdout).name, 'report')
    assert.match((await run('schedule', 'get', 'report', '-o', 'table')).stdout, /next +2030-01-31T09:00/)
    assert.equal(JSON.parse((await run('schedule', 'pause', 'report')).stdout).paused, true)
    assert.match((await run('schedules', '-o', 'table')).stdout, /report .*paused/)
    assert.equal(JSON.parse((await run('schedule', 'resume', 'report')).stdout).paused, false)
    assert.match((await run('schedule', 'run', 'report', '-o', 'ids')).stdout, /^0199f000-/)
    assert.equal((await run('schedule', 'delete', 'report')).code, 0)

    const gone = await run('schedule', 'get', 'report')
    assert.deepEqual([gone.code, gone.stderr], [3, "error: there is no schedule 'report'\n"])
  })

  it('that cannot be meant are usage errors', async (t) => {
    const run = (...args: string[]) => runMillrace(t, args, { url })
    const cases: [string[], RegExp][] = [
      [['schedule', 'set', 'a'], /missing required argument 'cron'/],
      [['schedule', 'set', 'a', '* * * * *', '{"a":'], /the payload is no JSON/],
      [['schedule', 'get', ''], /name of a schedule is empty/],
      [['schedule', 'paus', 'a'], /unknown command 'paus'/],
      [['schedule', 'set', 'a', '* * * * *', '--catch-up', 'some'], /Allowed choices are none, latest, all/],
    ]
    for (const [args, words] of cases) {
      const { code, stderr } = await run(...args)
      assert.match(stderr, words)
      assert.equal(code, 2, args.join(' '))
    }
  })
})
