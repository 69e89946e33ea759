import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cronTimes } from '../../src/runtime/cron.ts'

const at = Date.parse

function after(cron: string, timeZone: string, from: string, count: number): string[] {
  return cronTimes.after({ cron, timeZone }, at(from), count).map((time) => new Date(time).toISOString())
}

describe('times of a cron expression', () => {
  it('are those of the clocks of its time zone, in summer and in winter', () => {
    const winter = after('30 9 * * 1-5', 'Europe/Berlin', '2026-01-01T00:00:00Z', 2)
    const summer = after('30 9 * * 1-5', 'Europe/Berlin', '2026-07-03T12:00:00Z', 1)

    assert.deepEqual(winter, ['2026-01-01T08:30:00.000Z', '2026-01-02T08:30:00.000Z'])
    assert.deepEqual(summer, ['2026-07-06T07:30:00.000Z'])
  })

  it('come at the first moment after the gap when clocks skip them', () => {
    assert.deepEqual(after('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
      '2026-03-29T01:00:00.000Z', // 03:00, the moment after 01:59
      '2026-03-30T00:30:00.000Z',
    ])
    assert.deepEqual(after('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 2), [
      '2018-11-04T03:00:00.000Z', // 01:00, for that day has no midnight
      '2018-11-05T02:00:00.000Z',
    ])
  })

  it('come once, the first time, when clocks repeat them', () => {
    assert.deepEqual(after('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
    assert.deepEqual(after('30 1,13 * * *', 'America/New_York', '2026-11-01T00:00:00Z', 3), [
      '2026-11-01T05:30:00.000Z',
      '2026-11-01T18:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ])
  })

  it('keep their pace through both changes when they name one', () => {
    for (const day of ['2026-03-29', '2026-10-25']) {
      const times = after('*/20 * * * *', 'Europe/Berlin', `${day}T00:00:00Z`, 9).map(at)
      assert.ok(times.every((time, i) => i === 0 || time - times[i - 1]! === 20 * 60_000))
    }
    const halfHour = after('*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T14:00:00Z', 9).map(at)
    assert.ok(halfHour.every((time, i) => i === 0 || time - halfHour[i - 1]! === 15 * 60_000))
  })

  it('are the same whether they are counted forward or back, over the changes of a year', () => {
    for (const cron of ['30 2 * * *', '*/20 * * * *', '0 0 1,15 * *', '15 1-3 * * 0']) {
      for (const timeZone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC']) {
        const forward = cronTimes.after({ cron, timeZone }, at('2026-02-20T00:00:00Z'), 900)
        const back = cronTimes.upTo({ cron, timeZone }, forward.at(-1)!, 900)
        assert.deepEqual(back, forward, `${cron} in ${timeZone}`)
      }
    }
  })

  it('come after an instant without it, and up to an instant with it', () => {
    const rule = { cron: '0 9 * * *', timeZone: 'UTC' }
    const nine = at('2026-01-01T09:00:00Z')

    assert.deepEqual(cronTimes.after(rule, nine, 1), [at('2026-01-02T09:00:00Z')])
    assert.deepEqual(cronTimes.after(rule, nine - 1, 1), [nine])
    assert.deepEqual(cronTimes.upTo(rule, nine, 1), [nine])
    assert.deepEqual(cronTimes.upTo(rule, nine - 1, 1), [at('2025-12-31T09:00:00Z')])
  })
})

describe('a rule', () => {
  const fault = (cron: string, timeZone = 'UTC') =>
    cronTimes.faultOf({ cron, timeZone }, at('2026-01-01T00:00:00Z'))

  it('may have five fields, six, names, lists, ranges, steps, and nicknames', () => {
    for (const cron of [
      '* * * * *',
      '*/5 * * * * *',
      '0 9 * JAN-MAR MON,WED',
      '0 0 L * *',
      '0 0 * * 5#2',
      '0 0 29 2 *',
      '@daily',
      '@hourly',
    ])
      assert.equal(fault(cron), undefined, cron)
    for (const timeZone of ['UTC', 'America/Argentina/Buenos_Aires', 'Asia/Calcutta', 'Etc/GMT+3'])
      assert.equal(fault('0 9 * * *', timeZone), undefined, timeZone)
  })

  it('is refused when it is no expression, or none that names times alone', () => {
    for (const cron of [
      '',
      ' ',
      '* * * *',
      '60 * * * *',
      '* * * * * * *',
      '0 0 0 1 1 * 2030',
      '2030-01-01T00:00:00',
      '? * * * *',
      '@reboot',
      'H * * * *',
      '* * * * *\n',
      '5/0 * * * *',
      '-1 * * * *',
      '1-0 * * * *',
      '\u0661 * * * *',
      `${'1,'.repeat(200)}1 * * * *`,
    ])
      assert.equal(fault(cron)?.field, 'cron', JSON.stringify(cron))
    assert.match(fault('0 0 30 2 *')!.detail, /never comes/)
  })

  it('is refused for a time zone that nobody knows', () => {
    for (const timeZone of ['Mars/Olympus', '', '+02:00', 'Europe/Berlin ', '../UTC', '__proto__'])
      assert.equal(fault('* * * * *', timeZone)?.field, 'timeZone', JSON.stringify(timeZone))
  })
})
