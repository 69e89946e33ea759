import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CatchUp, mostMissed, timesDue } from '../../src/domain/schedule.ts'
import { cronTimes } from '../../src/runtime/cron.ts'

const at = Date.parse

function due(catchUp: CatchUp, next: string, now: string, { cron = '0 * * * *', most = 100 } = {}) {
  const schedule = {
    name: 's',
    cron,
    timeZone: 'UTC',
    catchUp,
    task: { payload: '1', type: 'a', queue: 'q', priority: 'normal' as const },
    nextAtMs: at(next),
  }
  const { times, nextAtMs } = timesDue({ cron: cronTimes, schedule, most }, at(now))
  return { times: times.map(clock), next: clock(nextAtMs) }
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}

describe('the times of a schedule that are due', () => {
  it('are one, on time, whatever is to become of missed ones', () => {
    for (const catchUp of ['none', 'latest', 'all'] as const) {
      const seen = due(catchUp, '2026-01-01T09:00:00Z', '2026-01-01T09:00:59.9Z')
      assert.deepEqual(seen, { times: ['09:00:00'], next: '10:00:00' })
    }
  })

  it('are not there before their time', () => {
    const seen = due('all', '2026-01-01T09:00:00Z', '2026-01-01T08:59:59.999Z')
    assert.deepEqual(seen, { times: [], next: '09:00:00' })
  })

  it('are forgotten when they were missed and none is to be caught up with', () => {
    const seen = due('none', '2026-01-01T09:00:00Z', '2026-01-01T12:30:00Z')
    assert.deepEqual(seen, { times: [], next: '13:00:00' })
  })

  it('are the latest of those that were missed', () => {
    const seen = due('latest', '2026-01-01T09:00:00Z', '2026-01-01T12:30:00Z')
    assert.deepEqual(seen, { times: ['12:00:00'], next: '13:00:00' })
  })

  it('leave missed ones out when one is on time again', () => {
    for (const catchUp of ['none', 'latest'] as const) {
      const seen = due(catchUp, '2026-01-01T09:00:00Z', '2026-01-01T12:00:30Z')
      assert.deepEqual(seen, { times: ['12:00:00'], next: '13:00:00' })
    }
  })

  it('are all that were missed', () => {
    const seen = due('all', '2026-01-01T09:00:00Z', '2026-01-01T12:00:00Z')
    assert.deepEqual(seen, { times: ['09:00:00', '10:00:00', '11:00:00', '12:00:00'], next: '13:00:00' })
  })

  it('come in portions, each going on where the one before ended', () => {
    const seen = due('all', '2026-01-01T09:00:00Z', '2026-01-01T12:30:00Z', { most: 2 })
    assert.deepEqual(seen, { times: ['09:00:00', '10:00:00'], next: '11:00:00' })
  })

  it(`are ${mostMissed} at most, the last ones`, () => {
    const seen = due('all', '2020-01-01T00:00:00Z', '2026-01-01T00:00:30Z', {
      cron: '* * * * *',
      most: 5_000,
    })
    assert.equal(seen.times.length, mostMissed)
    assert.equal(seen.times.at(-1), '00:00:00')
    assert.equal(seen.next, '00:01:00')
  })
})
