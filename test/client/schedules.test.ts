import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createClient, MillraceError } from '../../src/client/index.ts'
import { fakeMillrace } from './fake-millrace.ts'

it('puts, reads, pauses, runs and deletes schedules', async (t) => {
  const fake = await fakeMillrace()
  t.after(() => fake.close())
  const { schedules } = createClient({ url: fake.url })

  await schedules.put('report', { cron: '@daily', task: { type: 'a', payload: { n: 1 } } })
  assert.deepEqual((await schedules.get('report')).task, { type: 'a', payload: { n: 1 } })
  assert.deepEqual(
    (await schedules.list()).data.map(({ name }) => name),
    ['report'],
  )
  assert.equal((await schedules.pause('report')).paused, true)
  assert.equal((await schedules.resume('report')).paused, false)
  const task = await schedules.run('report')
  assert.equal(task.type, 'a')
  const [run] = fake.requestsTo('/schedules/report/run')
  assert.match(String(run!.headers['idempotency-key']), /^auto-/)
  await schedules.delete('report')
  await assert.rejects(schedules.get('report'), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(error.code, 'schedule-not-found')
    return true
  })
})
