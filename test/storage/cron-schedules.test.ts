import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { idSource } from '../../src/domain/id.ts'
import type { ScheduleDefinition } from '../../src/domain/schedule.ts'
import { cronTimes } from '../../src/runtime/cron.ts'
import { openDatabase } from '../../src/storage/connection.ts'
import { scheduleStore } from '../../src/storage/cron-schedules.ts'
import { tickSchedules } from '../../src/usecases/tick.ts'
import { assertCountsExact } from '../conformance/system.ts'
import { query, testDatabase } from '../support/postgres.ts'

const newId = idSource()
const silent = { debug() {}, info() {}, warn() {}, error() {} }

const hourly: ScheduleDefinition = {
  name: 'hourly',
  cron: '0 * * * *',
  timeZone: 'UTC',
  catchUp: 'all',
  task: {
    payload: '{"b":1.0, "a":1e400}',
    type: 'report',
    queue: 'reports',
    priority: 'high',
    maxAttempts: 7,
  },
}

async function storeUnderTest(t: TestContext) {
  const url = await testDatabase(t)
  const database = openDatabase(url, { connections: 8, statementTimeoutMs: 10_000, plans: 'moves' })
  t.after(database.close)
  const schedules = scheduleStore(database)
  const tick = () => tickSchedules({ schedules, cron: cronTimes, newId, announce: () => {}, log: silent })
  /** Takes a schedule back to a time, as if nobody had followed it since. */
  const leaveAt = (name: string, hoursAgo: number) =>
    query(
      url,
      `update millrace.cron_schedules
          set next_at = date_trunc('hour', now()) - $2 * interval '1 hour' where name = $1`,
      [name, hoursAgo],
    )
  const keys = async () => {
    const rows = await query<{ key: string }>(
      url,
      'select idempotency_key as key from millrace.tasks order by idempotency_key',
    )
    return rows.map((row) => row.key)
  }
  return { url, database, schedules, tick, leaveAt, keys }
}

describe('schedules', () => {
  it('come back as they were put, the payload to the letter', async (t) => {
    const { schedules } = await storeUnderTest(t)
    const { schedule, created } = await schedules.put(hourly, Date.parse('2030-01-01T00:00:00Z'))

    assert.equal(created, true)
    const { paused, nextAt, lastRunAt, lastTaskId, createdAt, updatedAt, ...definition } = schedule
    assert.deepEqual(definition, hourly)
    assert.deepEqual([paused, nextAt, lastRunAt, lastTaskId], [false, '2030-01-01T00:00:00.000Z', null, null])
    assert.equal(createdAt, updatedAt)
    assert.deepEqual(await schedules.get('hourly'), schedule)
  })

  it('stand where they stood when the same is put again, and anew with another rule', async (t) => {
    const { schedules } = await storeUnderTest(t)
    const [early, late] = [Date.parse('2020-01-01T00:00:00Z'), Date.parse('2030-01-01T00:00:00Z')]
    await schedules.put(hourly, early)

    const same = await schedules.put({ ...hourly, catchUp: 'none' }, late)
    const other = await schedules.put({ ...hourly, cron: '5 * * * *' }, late)
    const moved = await schedules.put({ ...hourly, cron: '5 * * * *', timeZone: 'Asia/Tokyo' }, early)

    assert.equal(same.created, false)
    assert.equal(same.schedule.catchUp, 'none')
    assert.deepEqual(
      [same, other, moved].map(({ schedule }) => Date.parse(schedule.nextAt)),
      [early, late, early],
    )
  })

  it('have one task for each time, with any number of processes at once', async (t) => {
    const { url, schedules, tick, leaveAt, keys } = await storeUnderTest(t)
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) await schedules.put({ ...hourly, name }, Date.now())
    for (const name of names) await leaveAt(name, 4)

    await Promise.all(Array.from({ length: 4 }, tick))
    await tick()

    const seen = await keys()
    assert.equal(seen.length, 25)
    assert.equal(new Set(seen).size, 25)
    assert.match(seen[0]!, /^schedule:a:\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/)
    const packets = await query(url, 'select from millrace.packets')
    assert.ok(packets.length > 0)
    await assertCountsExact(url)
  })

  it('are moved on by their submission, and know their latest task', async (t) => {
    const { url, schedules, tick, leaveAt } = await storeUnderTest(t)
    await schedules.put(hourly, Date.now())
    await leaveAt('hourly', 1)

    await tick()

    const schedule = await schedules.get('hourly')
    const [latest] = await query<{ id: string; task: object }>(
      url,
      `select id, jsonb_build_object('type', type, 'queue', queue, 'priority', priority, 'max', max_attempts) as task
         from millrace.tasks order by idempotency_key desc limit 1`,
    )
    assert.equal(schedule!.lastTaskId, latest!.id)
    assert.deepEqual(latest!.task, { type: 'report', queue: 'reports', priority: 2, max: 7 })
    assert.ok(Date.parse(schedule!.nextAt) > Date.now())
    assert.ok(schedule!.lastRunAt)
  })

  it('submit nothing when what moves them on is rolled back, and all of it the next time', async (t) => {
    const { database, schedules, tick, leaveAt, keys } = await storeUnderTest(t)
    await schedules.put(hourly, Date.now())
    await leaveAt('hourly', 2)
    const failing = scheduleStore({
      ...database,
      transaction: (work) =>
        database.transaction(async (run) => {
          await work(run)
          throw new Error('the process died')
        }),
    })
    const dying = { schedules: failing, cron: cronTimes, newId, announce: () => {}, log: silent }

    await assert.rejects(tickSchedules(dying), /died/)
    assert.deepEqual(await keys(), [])
    await tick()

    assert.equal((await keys()).length, 3)
  })

  it('follow the clock of the database, whatever that of the process says', async (t) => {
    const { schedules, tick, leaveAt, keys } = await storeUnderTest(t)
    await schedules.put({ ...hourly, name: 'due' }, Date.now())
    await schedules.put({ ...hourly, name: 'later' }, Date.now() + 86_400_000)
    await leaveAt('due', 1)

    for (const [at, expected] of [
      ['1999-01-01T00:00:00Z', 2],
      ['2090-01-01T00:00:00Z', 2],
    ] as const) {
      t.mock.timers.enable({ apis: ['Date'], now: Date.parse(at) })
      await tick()
      t.mock.timers.reset()
      assert.equal((await keys()).length, expected)
    }
  })

  it('have no times while they are paused, and go on with the next one', async (t) => {
    const { schedules, tick, leaveAt, keys } = await storeUnderTest(t)
    await schedules.put(hourly, Date.now())
    await leaveAt('hourly', 3)
    assert.equal((await schedules.pause('hourly'))!.paused, true)

    assert.equal(await schedules.nextInMs(), null)
    await tick()
    const resumed = await schedules.resume('hourly', (rule, nowMs) => cronTimes.after(rule, nowMs, 1)[0]!)
    await tick()

    assert.equal(resumed!.paused, false)
    assert.deepEqual(await keys(), [])
    const again = await schedules.resume('hourly', () => 0)
    assert.equal(again!.nextAt, resumed!.nextAt)
  })

  it('are made in portions when many times were missed', async (t) => {
    const { url, schedules, tick, keys } = await storeUnderTest(t)
    await schedules.put({ ...hourly, cron: '* * * * *' }, Date.now())
    await query(
      url,
      `update millrace.cron_schedules set next_at = date_trunc('minute', now()) - interval '249 minutes'`,
    )

    while ((await tick()) === 0);

    const seen = await keys()
    assert.ok(seen.length === 250 || seen.length === 251, String(seen.length))
    assert.equal(new Set(seen).size, seen.length)
  })

  it('of which one cannot be followed leave the others their times', async (t) => {
    const { url, schedules, tick, leaveAt, keys } = await storeUnderTest(t)
    for (const name of ['broken', 'whole']) await schedules.put({ ...hourly, name }, Date.now())
    for (const name of ['broken', 'whole']) await leaveAt(name, 0)
    await query(url, `update millrace.cron_schedules set time_zone = 'Mars/Olympus' where name = 'broken'`)

    await tick()

    assert.deepEqual(
      (await keys()).map((key) => key.slice(0, 14)),
      ['schedule:whole'],
    )
  })

  it('are listed by name, from a name on, and are gone when they are removed', async (t) => {
    const { schedules } = await storeUnderTest(t)
    for (const name of ['b', 'a', 'c', '_']) await schedules.put({ ...hourly, name }, Date.now())

    const names = async (limit: number, after = '') =>
      (await schedules.list({ limit, after })).map(({ name }) => name)
    const all = await names(10)

    assert.deepEqual([...(await names(2)), ...(await names(2, all[1]))], all)
    assert.equal((await schedules.remove('a'))?.name, 'a')
    assert.equal(await schedules.remove('a'), undefined)
    assert.equal(await schedules.get('a'), undefined)
    assert.equal(await schedules.pause('a'), undefined)
    assert.equal(await schedules.resume('a', () => 0), undefined)
  })
})
