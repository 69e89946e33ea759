import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseClock } from '../../src/storage/clock.ts'
import type { Database } from '../../src/storage/connection.ts'
import { until } from '../support/until.ts'

const hourMs = 3_600_000

/** A database whose clock is an hour behind this process's, and that is away for the first `away` questions. */
function databaseBehind({ away }: { away: number }): Database {
  let asked = 0
  const run = async () => {
    asked += 1
    if (asked <= away) throw new Error('away')
    return [[Date.now() - hourMs]]
  }
  return {
    run: run as Database['run'],
    transaction: async () => assert.fail(),
    pool: () => assert.fail(),
    close: async () => {},
  }
}

const isRight = (nowMs: number) => Math.abs(nowMs - (Date.now() - hourMs)) < 10_000

test('the clock goes by the database as soon as it has answered, whether anybody asked before or not', async () => {
  const clock = databaseClock(databaseBehind({ away: 0 }))

  await new Promise(setImmediate)

  assert.ok(isRight(clock.nowMs()))
})

test('a database that was away at first is asked again soon', async () => {
  const clock = databaseClock(databaseBehind({ away: 1 }))
  await new Promise(setImmediate)
  assert.ok(!isRight(clock.nowMs()))

  await until(() => isRight(clock.nowMs()), { what: 'the time of the database' })
})
